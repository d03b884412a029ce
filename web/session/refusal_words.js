/** Refusals in a few words, by code (docs/errors.md); the full sentence is shown beside them. */

export const SHORT = {
  BootDiagnosticsDisabled: "Boot diagnostics are off",
  VmNotRunning: "The VM is not running",
  VmProvisioning: "The VM is still being deployed",
  VmPermissionDenied: "You lack the role for this console",
  StoragePermissionDenied: "You lack rights on the diagnostics storage account",
  StorageResourceGroupUnknown: "The diagnostics storage account cannot be found",
  BootDiagnosticsStorageNotFound: "The diagnostics storage account was deleted",
  BootDiagnosticsStorageForbidden: "The diagnostics storage account's firewall refuses",
  BootDiagnosticsStorageKeyless: "The diagnostics storage account allows no access by keys",
  BootDiagnosticsStorageUnsupported: "The diagnostics storage account has a hierarchical namespace",
  BootDiagnosticsUriInvalid: "The boot diagnostics address is malformed",
  ConsoleDisabledForSubscription: "Consoles are switched off for the subscription",
  ConsoleDisabledByPolicy: "A policy switched the console off",
  SerialPortDisabled: "The VM's serial port is disabled",
  ResourceLocked: "A read-only lock stands in the way",
  RegionNotAvailable: "The VM's region is not served",
  CloudNotAvailable: "This cloud is not served",
  NetworkNotAllowed: "Your network is not allowed here",
  TagNotAllowed: "The VM lacks a tag that a policy demands",
  OsTypeConflict: "The VM now runs another operating system",
  ReasonRequired: "A reason is needed",
  ApprovalRequired: "Somebody else must approve this",
  ApprovalPending: "Your request waits for approval",
  ApprovalNotFound: "There is no such request for approval",
  ApprovalClosed: "The request was decided already",
  ApproverIsRequester: "Nobody approves their own request",
  ApproverPermissionDenied: "You may not approve for this console",
  PowerPermissionDenied: "You lack the role to restart or stop this VM",
  NmiPermissionDenied: "You lack the role to send an NMI or SysRq",
  TranscriptPermissionDenied: "You may not read what was printed here",
  AdministrationDenied: "You may not administer consoles here",
  PolicyChanged: "Somebody else changed the policy meanwhile",
  ConsoleNotOpen: "The console is not open",
  PowerActRefused: "Azure refused to do this now",
  VmNotFound: "No such VM, or you may not read it",
  ScaleSetNotSpecified: "This names a scale set, not an instance",
  CallerNotAuthenticated: "Sign in again to go on",
  CallerNotPermitted: "Your sign-in lacks what this service demands",
  MfaRequired: "A stronger sign-in is needed",
  StepUpUnsupported: "A stronger sign-in is needed, which this page could not offer",
  TokenInvalid: "The session token is not valid",
  TokenExpired: "The session token has expired",
  TokenReplayed: "The session token was used before",
  ConsoleInUse: "The console is in use",
  TakeoverRefused: "The console was not given up",
  SessionSuperseded: "Another user took the console",
  SessionNotFound: "There is no such session",
  RecordingNotFound: "Not in the transcript",
  RecordingsIncomplete: "The list of recordings is still being made",
  BootLogNotFound: "No boot log",
  RangeNotSatisfiable: "Not in the transcript",
  SessionEnded: "The session was ended",
  InvalidRequest: "The service did not understand this page",
  RequestTooLarge: "The request is too large",
  NotFound: "There is nothing at this address",
  TooManyRequests: "Too many requests",
  AuditUnavailable: "The audit trail cannot be written",
  GatewayTimeout: "The VM's host did not answer in time",
  RelayUnavailable: "The relay does not answer",
  AzureUnavailable: "Azure does not answer",
  AzureThrottled: "Azure throttles",
  AzureTimeout: "Azure did not answer in time",
  RelayDraining: "The relay is being replaced",
  IdleTimeout: "Nothing was typed for the time allowed",
  SessionExpired: "The session reached its longest time",
  AccessRevoked: "Your right to this console was withdrawn",
  VmStopped: "The VM stopped",
  ConsoleFault: "The connection to the serial port was lost",
  ConnectRefused: "Azure refused the connection",
  ServiceNotPermitted: "The service lacks a role in Azure, not you",
  ProviderNotRegistered: "The subscription is not registered for serial consoles",
  ExternalTakeover: "The serial port was taken from elsewhere",
  SignInRequired: "Sign in again to go on",
  StepUpInVain: "The stronger sign-in was not enough",
  Unreachable: "The service could not be reached",
  InternalError: "The service failed",
  LockUnavailable: "The lock of the console does not answer",
  ServiceBusy: "The service is busy",
};

/** The text about subscriptions that could not be queried: a missing VM may exist there. */
export function unaskedWords({ subscription, message }) {
  return `VMs of the subscription ${subscription} may be missing here: ${message}`;
}

/** The reason why the list is empty. It does not advise to ask an owner if Azure did not answer. */
export function emptyWords({ filtered, unasked }) {
  if (filtered) return "No console matches the filter.";
  if (unasked.length > 0) return "No virtual machine was found where Azure answered.";
  return "You may read no virtual machine here. Ask an owner for a role on one; it appears on refresh.";
}

export function shortRefusal({ code, message }) {
  return SHORT[code] ?? message;
}

/** Sentences about buttons of Azure's portal, which this page does not have; they are removed. */
const ELSEWHERE = / (?:Use the Start button above|Click here) [^.]*\./g;
const plain = (words) => words.replace(/\.$/, "").toLowerCase();

/** Returns the service's own sentence; empty if it only repeats the short words above it. */
export function messageWords(refusal) {
  const message = (refusal.message ?? "").replace(ELSEWHERE, "");
  return plain(message) === plain(shortRefusal(refusal)) ? "" : message;
}

/** Fixes written for programs, reworded for a person at this page. */
const FIXES = {
  ApprovalRequired: "Open the console to ask for approval.",
  ApprovalPending: "Open the console to see how it stands.",
  ReasonRequired: "Open the console; you are asked for a reason.",
  MfaRequired: "Open the console; you are asked to sign in again.",
};

export function fixWords({ code, fix }) {
  return FIXES[code] ?? fix;
}

/** Returns the fix for the panel; empty for the fixes above, because a button of the panel does the same. */
export const panelFix = ({ code, fix }) => (code in FIXES ? "" : fix);

/** The reason why the relay ended a session, for close codes with several reasons. */
const ENDS = {
  BootDiagnosticsDisabled: end("Ended because boot diagnostics were switched off", "Enable boot diagnostics on the VM, then connect again."),
  ConsoleDisabledForSubscription: end("Ended because consoles were switched off for the subscription", "An administrator of the subscription can turn them on again."),
  ConsoleDisabledByPolicy: end("Ended because a policy switched the console off", "Ask who set the policy."),
  BootDiagnosticsStorageKeyless: end("Ended because keys of the diagnostics storage account were switched off", "Allow access by keys on the account, then connect again."),
  BootDiagnosticsStorageUnsupported: end("Ended because the diagnostics storage account does not suit a console", "Choose another account for boot diagnostics, then connect again."),
  ConnectRefused: end("Ended because Azure refused the connection to the port", "See what the console in the Azure portal says."),
  ServiceNotPermitted: end("Ended because Azure allows the service no console here", "An administrator of the service gives its relay the role that it needs."),
  ProviderNotRegistered: end("Ended because the subscription is not registered for consoles", "An owner of the subscription can register it for Microsoft.SerialConsole."),
  SerialPortDisabled: end("Ended because the VM's serial port was disabled", "Enable the port, then connect again."),
  RegionNotAvailable: end("Ended because the VM's region is not served any more", "Ask an owner of the service."),
  CloudNotAvailable: end("Ended because this cloud is not served any more", "Ask an owner of the service."),
  TagNotAllowed: end("Ended because the VM lost a tag that a policy demands", "Give the VM its tag back, or ask who set the policy."),
  OsTypeConflict: end("Ended because the VM now runs another operating system", "Connect again: the console opens for the new one."),
  VmPermissionDenied: end("Ended because you lost the role for this console", "Ask an owner of the VM for the role Virtual Machine Contributor."),
  StoragePermissionDenied: end("Ended because you lost your rights on the diagnostics storage account", "Ask an owner of the storage account for the role Contributor."),
  ApprovalRequired: end("Ended because the time of its approval is over", "Ask for approval again."),
  ApprovalPending: end("Ended because the time of its approval is over", "Your new request waits for somebody's approval."),
  VmNotFound: end("Ended because the VM was deleted, or you may not read it any more", "Look for the VM in the list of consoles."),
  AzureUnavailable: end("Azure could not be reached for the VM's serial port", "It is tried again by itself; most such faults pass."),
  AzureThrottled: end("Azure throttled, and the VM's serial port could not be opened again", "It is tried again by itself, when Azure takes requests again."),
  AzureTimeout: end("Azure did not answer in time for the VM's serial port", "It is tried again by itself; most such faults pass."),
  GatewayTimeout: end("The VM's host did not answer in time", "It is tried again by itself; most such faults pass."),
};

function end(words, fix) {
  return Object.freeze({ words, fix });
}

/** Returns `{words, fix}` that are more exact than the close code's, or an empty object. */
export function endWords(code) {
  return ENDS[code] ?? {};
}
