/** The API's address: beside the page. A deployment whose API has another address writes it here. */
export const API = "/api";
