/** Everything but typing that one person may do on one console: commands and their menu, approvals, reasons, access. */

import { AccessDialog } from "./access_dialog.js";
import { readChecks } from "./access_api.js";
import { CommandController } from "./command_controller.js";
import { actWords } from "./commands.js";
import { CommandsMenu } from "./commands_menu.js";
import { ApprovalController } from "./approval_controller.js";
import { ApprovalWait } from "./approval_wait.js";
import { reasonSource } from "./reason_dialog.js";
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
   * `vm` is the resource id, `path` the same for addresses, `name` the VM's name; `say(text, tone)` shows a command's progress,
   * `began(act)` is called when a command has begun.
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

  /** Returns the source of reasons for withReason (access/reason.js). */
  reason(signal) {
    return reasonSource(this.#memory, signal);
  }

  checks(right) {
    return readChecks(this.#api, this.#path, right);
  }

  /** Reads the person's rights and updates the menu. If the call fails, the menu stays as it is. */
  async learnRights() {
    const status = await this.checks("write").catch(() => null);
    if (!status) return;
    this.#rightsKnown = true;
    this.#menu.show(status.rights);
  }

  /** Reads the rights again if the first call failed; used when the console opens. */
  learnMissingRights() {
    if (!this.#rightsKnown) this.learnRights();
  }

  async run(act) {
    if (await this.#acts.run(act)) this.#began(act);
  }

  /** Shows a command that somebody ran on the VM, and returns it in words. */
  acted(act) {
    const words = actWords(act, this.#name, this.#me);
    this.#acts.reported(act);
    this.#say(words, "good");
    return words;
  }

  /** Returns a new view that asks for approval and waits for it, and disposes of the previous one. */
  waitForApproval(options) {
    this.stopWaiting();
    return (this.#waiting = new ApprovalWait({ approvals: this.#approvals, ...options }));
  }

  stopWaiting() {
    this.#waiting?.dispose();
    this.#waiting = null;
  }

  /** Shows who is connected and the state of the checks. */
  async showAccess({ id, live, want }) {
    const options = { api: this.#api, path: this.#path, name: this.#name, me: this.#me, own: live ? id : null, mode: want.mode };
    await new AccessDialog(options).show(this.#gone.signal);
    this.learnRights();
  }
}
