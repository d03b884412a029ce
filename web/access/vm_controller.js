/** What one person may do on one console beside typing: acts and their menu, approval, reasons, who is connected. */

import { AccessDialog } from "./access_dialog.js";
import { readChecks } from "./access_api.js";
import { CommandController } from "./command_controller.js";
import { actWords } from "./commands.js";
import { CommandsMenu } from "./commands_menu.js";
import { ApprovalController } from "./approval_controller.js";
import { ApprovalWait } from "./approval_wait.js";
import { reasonWish } from "./reason_dialog.js";
import { TabMemory } from "../ui/tab_memory.js";

export class VmController {
  #api;
  #path;
  #name;
  #me;
  #say;
  #began;
  #memory;
  #approvals;
  #acts;
  #menu;
  #waiting = null;
  #rightsKnown = false;
  #gone = new AbortController();

  /**
   * `vm` is the resource id, `path` the same for addresses, `name` what people call it; `say(text, tone)` shows how an act goes,
   * `began(act)` hears that one has begun.
   */
  constructor({ api, auth, vm, path, name, say, began }) {
    this.#api = api;
    this.#path = path;
    this.#name = name;
    this.#me = auth.user?.name;
    this.#say = (text, tone) => this.#gone.signal.aborted || say(text, tone);
    this.#memory = new TabMemory(auth.user?.email, vm);
    this.#approvals = new ApprovalController({ api, path, vm, memory: this.#memory });
    this.#acts = new CommandController({ api, path, name, memory: this.#memory, approvals: this.#approvals, say: this.#say, signIn: (claims) => auth.signIn({ claims }) });
    this.#began = began;
    this.#menu = new CommandsMenu((act) => this.run(act));
  }

  get menu() {
    return this.#menu.element;
  }

  dispose() {
    this.#gone.abort();
    this.#menu.close();
    this.#acts.dispose();
    this.stopWaiting();
  }

  /** For withReason (access/reason.js). */
  reason(signal) {
    return reasonWish(this.#memory, signal);
  }

  checks(right) {
    return readChecks(this.#api, this.#path, right);
  }

  /** Decides what is in the menu. Without an answer it stays as it is: a look that failed takes nobody's acts away. */
  async learnRights() {
    const status = await this.checks("write").catch(() => null);
    if (!status) return;
    this.#rightsKnown = true;
    this.#menu.show(status.rights);
  }

  /** For a console that has opened after the first look had failed. */
  learnMissingRights() {
    if (!this.#rightsKnown) this.learnRights();
  }

  async run(act) {
    if (await this.#acts.run(act)) this.#began(act);
  }

  /** Somebody did something to the VM: shown, and answered in words. */
  acted(act) {
    const words = actWords(act, this.#name, this.#me);
    this.#acts.told(act);
    this.#say(words, "good");
    return words;
  }

  /** The view that asks for approval and waits for it; one at a time. */
  waitForApproval(wish) {
    this.stopWaiting();
    return (this.#waiting = new ApprovalWait({ desk: this.#approvals, ...wish }));
  }

  stopWaiting() {
    this.#waiting?.dispose();
    this.#waiting = null;
  }

  /** Who is connected and how the checks stand. */
  async showAccess({ id, live, want }) {
    const wish = { api: this.#api, path: this.#path, name: this.#name, me: this.#me, own: live ? id : null, mode: want.mode };
    await new AccessDialog(wish).show(this.#gone.signal);
    this.learnRights();
  }
}
