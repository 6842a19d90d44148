/** Stands in the built page where each answer has a nonce of its own. */
export const NONCE_PLACEHOLDER = "the-nonce-goes-here";

/**
 * What the playground may do: run and style by what bears the nonce, call this server, show its icon and the images that a
 * program wrote (blob:, which only the page's own script makes). No text becomes markup or script: no trusted type is made.
 */
export function pagePolicy(nonce: string, frameAncestors: readonly string[]): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src 'self' blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${frameAncestors.join(" ")}`,
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}
