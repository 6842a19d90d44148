export interface NoticeProps {
  text: string;
  action: string;
  onAction: () => void;
}

/** Something that the reader must know, and what can be done about it. */
export function Notice({ text, action, onAction }: NoticeProps) {
  return (
    <div class="notice" role="alert">
      <span>{text}</span>
      <button type="button" class="quiet" onClick={onAction}>
        {action}
      </button>
    </div>
  );
}
