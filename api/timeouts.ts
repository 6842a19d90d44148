/** A request's headers must be there after this time from the connection's start, or the last request's end. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** A whole request must be there after this time, however it trickles. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node looks for requests that are late, which adds to both. */
export const CONNECTIONS_CHECK_MS = 1000;
/** A connection is closed on which nothing moves for this long while it should: a client that does not read its answer. */
export const CONNECTION_TIMEOUT_MS = 60_000;
/** A connection without a request is kept for this long: more than the minute after which usual balancers let go of it. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** How long the system waits before it looks whether the other side of a silent connection is still there. */
export const TCP_KEEP_ALIVE_DELAY_MS = 30_000;
/** What a handler may take that does not wait for a run. */
export const HANDLER_TIMEOUT_MS = 30_000;
