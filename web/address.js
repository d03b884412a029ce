/** Where the API is: beside the page. A deployment whose API has an address of its own writes it here. */
export const API = "/api";
