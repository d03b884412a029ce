/**
 * Answers of the Functions host or of Azure's front end instead of the service, and whether a retry is safe
 * (docs/errors.md). They have no envelope, mostly no body, and never a Retry-After.
 */

const BUSY = 429;
/** The host's answer before it has loaded the service (Azure/azure-functions-host, HostAvailabilityCheckMiddleware). */
const NOT_RUNNING = "Function host is not running.";
const PASSING = new Set([BUSY, 500, 502, 503, 504]);
/** Milliseconds before each retry; up to twice as long at random, so that clients do not retry at the same moment. */
const WAITS = [500, 1000, 2000];

/** Sends until an answer is final or the retries are used up. Returns the last answer. */
export async function sendAgain(method, send, wait = sleep) {
  for (const pause of WAITS) {
    const answer = await send();
    if (!(await passes(method, answer))) return answer;
    await wait(pause * (1 + Math.random()));
  }
  return send();
}

/** A request that changes something is retried only if the host rejected it before any function received it. */
async function passes(method, answer) {
  const ours = answer.headers.has("x-ms-error-code");
  if (ours || !PASSING.has(answer.status)) return false;
  return method === "GET" || answer.status === BUSY || (await answer.clone().text()) === NOT_RUNNING;
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
