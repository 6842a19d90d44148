import { useEffect, useMemo, useState } from "preact/hooks";

import type { Artifact } from "../answers.ts";
import { fromBase64 } from "../bytes.ts";
import { artifactKind } from "../run/artifact-kind.ts";
import { size } from "./format.ts";

interface FileProps {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** An address of the bytes within this page, for as long as they are shown. */
function useAddress(bytes: Uint8Array<ArrayBuffer>, type: string): string | undefined {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  return address;
}

function File({ name, bytes }: FileProps) {
  const shown = useMemo(() => artifactKind(bytes), [bytes]);
  // What is no image has a type that no browser shows, so that it is only ever saved.
  const address = useAddress(bytes, shown.kind === "image" ? shown.type : "application/octet-stream");
  if (address === undefined) return null;
  return (
    <>
      <a href={address} download={name.slice(name.lastIndexOf("/") + 1)}>
        Download<span class="unseen"> {name}</span>
      </a>
      {shown.kind === "image" && <img src={address} alt={name} />}
      {shown.kind === "text" && (
        <pre tabIndex={0} role="region" aria-label={name}>
          {shown.text}
        </pre>
      )}
    </>
  );
}

function Entry({ name, size_bytes: sizeBytes, content }: Artifact) {
  const bytes = useMemo(() => (content === undefined ? undefined : fromBase64(content)), [content]);
  return (
    <li>
      <code>{name}</code> <span class="hint">{size(sizeBytes)}</span>{" "}
      {bytes === undefined ? <span class="hint">(too large to come back)</span> : <File name={name} bytes={bytes} />}
    </li>
  );
}

export interface ArtifactsProps {
  artifacts: readonly Artifact[];
  /** How many more there were than come back. */
  omitted: number;
}

/** The files that the program wrote: images and texts are shown, and all can be saved. */
export function Artifacts({ artifacts, omitted }: ArtifactsProps) {
  return (
    <div class="artifacts">
      <h2>Files</h2>
      <ul>
        {artifacts.map((artifact) => (
          <Entry key={artifact.name} {...artifact} />
        ))}
      </ul>
      {omitted > 0 && <p class="hint">{omitted} more did not come back.</p>}
    </div>
  );
}
