/** One console's requests for approval: finds the one that waits, asks anew, looks at it. */

import { askApproval, readApproval, readApprovals } from "./access_api.js";
import { waitingFor } from "./approval.js";
import { withReason } from "./reason.js";
import { askReason, reasonWish } from "./reason_dialog.js";

export class ApprovalController {
  #api;
  #path;
  #vm;
  #memory;

  /** `vm` is the resource id, `path` the same for addresses; `memory` is a TabMemory. */
  constructor({ api, path, vm, memory }) {
    this.#api = api;
    this.#path = path;
    this.#vm = vm;
    this.#memory = memory;
  }

  /** What waits for this right; else what this tab asked for last; else null. Throws ApiError. */
  async find(right) {
    const waiting = waitingFor(await readApprovals(this.#api), this.#vm, right);
    if (waiting) return this.#kept(right, waiting);
    const id = this.#memory.recall(place(right));
    return id && readApproval(this.#api, this.#path, id).catch((error) => {
      if (error.code !== "ApprovalNotFound") throw error;
      this.#memory.forget(place(right));
      return null;
    });
  }

  /** Asks for a reason, then for approval; null when the person gives up. Throws ApiError. */
  async ask(right, signal) {
    const wish = reasonWish(this.#memory, signal);
    const reason = await askReason("Ask for approval", "Somebody else must say yes. They read this reason.", { before: wish.reason() ?? "", label: "Ask for approval", signal });
    if (reason === null) return null;
    wish.keep(reason);
    return this.#kept(right, await withReason((given) => askApproval(this.#api, this.#path, right, given ?? reason), wish));
  }

  look({ id }) {
    return readApproval(this.#api, this.#path, id);
  }

  #kept(right, approval) {
    this.#memory.keep(place(right), approval.id);
    return approval;
  }
}

const place = (right) => `approval:${right}`;
