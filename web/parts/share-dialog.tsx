import { CopyText } from "./copy-text.tsx";
import { Dialog } from "./dialog.tsx";

export interface ShareDialogProps {
  link: string;
  onClose: () => void;
}

export function ShareDialog({ link, onClose }: ShareDialogProps) {
  return (
    <Dialog title="A link to this program" onClose={onClose}>
      <p class="hint">The program itself is in the link: nothing is stored on the server.</p>
      <CopyText label="Link" text={link} />
    </Dialog>
  );
}
