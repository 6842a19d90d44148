import { signal } from "@preact/signals";

const NAME = "sandbox-reads-out";

/** Storage may be denied to a page, as to one in a frame. */
function chosen(): boolean {
  try {
    return localStorage.getItem(NAME) === "yes";
  } catch {
    return false;
  }
}

/** Whether terminals put what is printed where screen readers find it, which costs time for every character. */
export const readsOut = signal(chosen());

export function chooseReadsOut(wanted: boolean): void {
  readsOut.value = wanted;
  try {
    localStorage.setItem(NAME, wanted ? "yes" : "no");
  } catch {
    // It then lasts as long as the page.
  }
}
