/** A reason that a policy demands: asked for once, sent with everything that follows on this console. */

const ROUNDS = 5;

/**
 * Does `send(reason)` and asks for a reason as often as the service demands one (it may want a ticket of a certain form).
 * `wish` has reason() and keep(reason), which remember, and demand(message, before): a reason, or null to give up; then
 * the refusal is thrown.
 */
export async function withReason(send, wish) {
  for (let round = 1; ; round += 1) {
    const given = wish.reason();
    try {
      return await send(given);
    } catch (error) {
      if (error.code !== "ReasonRequired" || round === ROUNDS) throw error;
      const reason = await wish.demand(error.message, given ?? "");
      if (reason === null) throw error;
      wish.keep(reason);
    }
  }
}
