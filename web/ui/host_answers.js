/**
 * What the Functions host or Azure's front end answered instead of the service, and whether asking again is safe
 * (docs/errors.md): no envelope, mostly no body, never a Retry-After.
 */

const BUSY = 429;
/** What a host says that has not loaded the service yet (Azure/azure-functions-host, HostAvailabilityCheckMiddleware). */
const NOT_RUNNING = "Function host is not running.";
const PASSING = new Set([BUSY, 500, 502, 503, 504]);
/** Milliseconds before each further try, twice as long at most: not everybody comes back in the same moment. */
const WAITS = [500, 1000, 2000];

/** Sends until an answer comes that stands, or the tries are used up: then the last answer. */
export async function sendAgain(method, send, wait = sleep) {
  for (const pause of WAITS) {
    const answer = await send();
    if (!(await passes(method, answer))) return answer;
    await wait(pause * (1 + Math.random()));
  }
  return send();
}

/** A request that changes something is sent again only where nothing has seen it: the host turned it away. */
async function passes(method, answer) {
  const ours = answer.headers.has("x-ms-error-code");
  if (ours || !PASSING.has(answer.status)) return false;
  return method === "GET" || answer.status === BUSY || (await answer.clone().text()) === NOT_RUNNING;
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
