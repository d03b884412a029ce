/** Approvals of one console: finds the waiting one, requests a new one, reads one. */

import { askApproval, readApproval, readApprovals } from "./access_api.js";
import { waitingFor } from "./approval.js";
import { withReason } from "./reason.js";
import { askReason, reasonSource } from "./reason_dialog.js";

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

  /** Finds the waiting approval for this right, or else the last one that this tab requested, or null. Throws ApiError. */
  async find(right) {
    const waiting = waitingFor(await readApprovals(this.#api), this.#vm, right);
    if (waiting) return this.#remember(right, waiting);
    const id = this.#memory.recall(place(right));
    return id && readApproval(this.#api, this.#path, id).catch((error) => {
      if (error.code !== "ApprovalNotFound") throw error;
      this.#memory.forget(place(right));
      return null;
    });
  }

  /** Asks for a reason and requests an approval. Resolves to null if the person cancels. Throws ApiError. */
  async ask(right, signal) {
    const reasons = reasonSource(this.#memory, signal);
    const reason = await askReason("Ask for approval", "Somebody else must say yes. They read this reason.", { before: reasons.reason() ?? "", label: "Ask for approval", signal });
    if (reason === null) return null;
    reasons.remember(reason);
    return this.#remember(right, await withReason((given) => askApproval(this.#api, this.#path, right, given ?? reason), reasons));
  }

  look({ id }) {
    return readApproval(this.#api, this.#path, id);
  }

  #remember(right, approval) {
    this.#memory.remember(place(right), approval.id);
    return approval;
  }
}

const place = (right) => `approval:${right}`;
