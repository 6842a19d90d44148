import { useRef } from "preact/hooks";

export interface Tab<Id> {
  id: Id;
  label: string;
}

export interface TabsProps<Id> {
  label: string;
  tabs: readonly Tab<Id>[];
  selected: Id;
  /** The id of the element that shows what is selected. */
  controls: string;
  onSelect: (id: Id) => void;
}

/** The tab that a key leads to, as the ARIA pattern has it: https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ */
function target(key: string, index: number, count: number): number | undefined {
  switch (key) {
    case "ArrowRight":
      return (index + 1) % count;
    case "ArrowLeft":
      return (index + count - 1) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}

export function Tabs<Id extends string | number>({ label, tabs, selected, controls, onSelect }: TabsProps<Id>) {
  const list = useRef<HTMLDivElement>(null);

  function move(event: KeyboardEvent, index: number): void {
    const next = target(event.key, index, tabs.length);
    const tab = next === undefined ? undefined : tabs[next];
    if (next === undefined || tab === undefined) return;
    event.preventDefault();
    onSelect(tab.id);
    const element = list.current?.children[next];
    if (element instanceof HTMLElement) element.focus();
  }

  return (
    <div role="tablist" class="tabs" aria-label={label} ref={list}>
      {tabs.map(({ id, label: text }, index) => (
        <button
          key={id}
          type="button"
          role="tab"
          aria-selected={id === selected}
          aria-controls={controls}
          tabIndex={id === selected ? 0 : -1}
          onClick={() => onSelect(id)}
          onKeyDown={(event) => move(event, index)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}
