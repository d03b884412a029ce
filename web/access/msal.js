/**
 * MSAL.js as a module. Its own modules are some 300 files with bare imports; its single file is a script that
 * leaves a global behind, which is taken away again here.
 */

import "../node_modules/@azure/msal-browser/lib/msal-browser.min.js";

export const { PublicClientApplication, InteractionRequiredAuthError, CacheLookupPolicy, LogLevel } = globalThis.msal;
delete globalThis.msal;
