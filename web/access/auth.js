/**
 * Who is signed in, and access tokens for the API. Sign-in is a full-page redirect; renewal goes by refresh token, never
 * by a hidden frame. MSAL keeps its tokens in sessionStorage: they end with the tab.
 */

import { CacheLookupPolicy, PublicClientApplication } from "./msal.js";
import { ApiError } from "../ui/api_error.js";
import { StepUp } from "./step_up.js";

/** Starts MSAL from `GET /api/config` and takes in the answer of a sign-in that has just come back. */
export async function openAuth(config) {
  const msal = new PublicClientApplication({
    auth: {
      clientId: config.clientId,
      authority: config.authority,
      knownAuthorities: config.knownAuthorities ?? [],
      authorityMetadata: config.authorityMetadata ? JSON.stringify(config.authorityMetadata) : "",
      redirectUri: home(),
      postLogoutRedirectUri: home(),
      // The API may ask for a stronger sign-in: tokens say that this page can answer.
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
  /** What went wrong at the last sign-in, in words, or null. */
  problem = null;

  constructor(msal, scopes, stepUp) {
    this.#msal = msal;
    this.#scopes = scopes;
    this.#stepUp = stepUp;
  }

  /** `{name, email}` of who is signed in, or null. */
  get user() {
    const account = this.#msal.getActiveAccount();
    return account && { name: account.name || account.username, email: account.username };
  }

  /** The route travels as the request's state, so a deep link survives the detour. */
  async takeAnswer() {
    try {
      const answer = await this.#msal.handleRedirectPromise({ navigateToLoginRequestUrl: false });
      this.#msal.setActiveAccount(answer?.account ?? this.#msal.getActiveAccount() ?? this.#msal.getAllAccounts()[0] ?? null);
      // What a sign-out leaves behind says nothing to anybody.
      if (location.search) history.replaceState(null, "", home() + location.hash);
      if (answer?.state) history.replaceState(null, "", answer.state);
      if (answer) this.#stepUp.arrive();
    } catch (error) {
      this.problem = error.errorMessage || error.message;
      history.replaceState(null, "", home() + (this.#stepUp.forget() ?? ""));
    }
  }

  /** With `claims` (JSON) for a challenge of the API; the person has read why, and comes back to this place. */
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

  /** An access token. Throws ApiError: SignInRequired when only the person can get one, StepUpInVain when they just did. */
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
