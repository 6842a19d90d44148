import { signal } from "@preact/signals";

export type Theme = "light" | "dark";

const NAME = "sandbox-theme";
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** Storage may be denied to a page, as to one in a frame. */
function chosen(): Theme | undefined {
  try {
    const theme = localStorage.getItem(NAME);
    return theme === "light" || theme === "dark" ? theme : undefined;
  } catch {
    return undefined;
  }
}

function preferred(): Theme {
  return prefersDark.matches ? "dark" : "light";
}

export const theme = signal<Theme>("light");

function show(wanted: Theme): void {
  theme.value = wanted;
  document.documentElement.dataset["theme"] = wanted;
}

/** Follows the system's theme until the reader has chosen one. */
export function startTheme(): void {
  show(chosen() ?? preferred());
  prefersDark.addEventListener("change", () => show(chosen() ?? preferred()));
}

export function toggleTheme(): void {
  const wanted = theme.value === "dark" ? "light" : "dark";
  show(wanted);
  try {
    localStorage.setItem(NAME, wanted);
  } catch {
    // It then lasts as long as the page.
  }
}
