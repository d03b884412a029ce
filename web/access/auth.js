/**
 * The signed-in person, and access tokens for the API. Sign-in is a full-page redirect; renewal goes by refresh token, never
 * by a hidden frame. MSAL keeps its tokens in sessionStorage: they end with the tab.
 */

import { CacheLookupPolicy, PublicClientApplication } from "./msal.js";
import { ApiError } from "../ui/api_error.js";
import { StepUp } from "./step_up.js";

/** Starts MSAL from `GET /api/config` and completes a sign-in that has just returned. */
export async function openAuth(config) {
  const msal = new PublicClientApplication({
    auth: {
      clientId: config.clientId,
      authority: config.authority,
      knownAuthorities: config.knownAuthorities ?? [],
      authorityMetadata: config.authorityMetadata ? JSON.stringify(config.authorityMetadata) : "",
      redirectUri: home(),
      postLogoutRedirectUri: home(),
      // Tells Entra that this page can answer a claims challenge, so that the API may demand a stronger sign-in.
      clientCapabilities: ["CP1"],
    },
    cache: { cacheLocation: "sessionStorage" },
  });
  await msal.initialize();
  const auth = new Auth(msal, config.scopes, new StepUp(sessionStorage));
  await auth.takeAnswer();
  return auth;
}

const home = () => `${location.origin}/`;

export class Auth {
  #msal;
  #scopes;
  #stepUp;
  /** The error of the last sign-in in words, or null. */
  problem = null;

  constructor(msal, scopes, stepUp) {
    this.#msal = msal;
    this.#scopes = scopes;
    this.#stepUp = stepUp;
  }

  /** The `{name, email}` of the signed-in person, or null. */
  get user() {
    const account = this.#msal.getActiveAccount();
    return account && { name: account.name || account.username, email: account.username };
  }

  /** Completes a sign-in that has returned. The route comes back as its state, so that a deep link survives the redirect. */
  async takeAnswer() {
    try {
      const answer = await this.#msal.handleRedirectPromise({ navigateToLoginRequestUrl: false });
      this.#msal.setActiveAccount(answer?.account ?? this.#msal.getActiveAccount() ?? this.#msal.getAllAccounts()[0] ?? null);
      // Removes the query that a sign-out leaves in the address.
      if (location.search) history.replaceState(null, "", home() + location.hash);
      if (answer?.state) history.replaceState(null, "", answer.state);
      if (answer) this.#stepUp.arrive();
    } catch (error) {
      this.problem = error.errorMessage || error.message;
      history.replaceState(null, "", home() + (this.#stepUp.forget() ?? ""));
    }
  }

  /** Signs in with `claims` (JSON) for a challenge of the API, and returns to this route. The person has read the reason before. */
  signIn({ claims } = {}) {
    if (claims) this.#stepUp.leave(claims, location.hash);
    else this.#stepUp.forget();
    const request = { scopes: this.#scopes, state: location.hash, claims };
    const account = this.#msal.getActiveAccount();
    return account && claims
      ? this.#msal.acquireTokenRedirect({ ...request, account })
      : this.#msal.loginRedirect({ ...request, prompt: "select_account" });
  }

  signOut() {
    this.#stepUp.forget();
    return this.#msal.logoutRedirect({ account: this.#msal.getActiveAccount() });
  }

  /** Returns an access token. Throws ApiError: SignInRequired if the person must sign in, StepUpInVain if they just did. */
  async token({ claims } = {}) {
    if (claims && this.#stepUp.justDone(claims)) throw ApiError.stepUpInVain();
    try {
      const answer = await this.#msal.acquireTokenSilent({
        scopes: this.#scopes,
        claims,
        cacheLookupPolicy: CacheLookupPolicy.AccessTokenAndRefreshToken,
      });
      return answer.accessToken;
    } catch (error) {
      throw isNetwork(error) ? ApiError.unreachable() : ApiError.signInRequired(claims);
    }
  }
}

function isNetwork(error) {
  return ["no_network_connectivity", "post_request_failed", "get_request_failed", "network_error"].includes(error.errorCode);
}
