/** The reason that a policy demands: asked for once, then sent with every request of this console. */

const ROUNDS = 5;

/**
 * Calls `send(reason)`, and asks for a reason each time the service demands one (a policy may require a ticket's form).
 * `reasons` has reason(), the stored one; remember(reason); and demand(message, before), which asks the person and resolves
 * to null if they cancel. The refusal is then thrown.
 */
export async function withReason(send, reasons) {
  for (let round = 1; ; round += 1) {
    const given = reasons.reason();
    try {
      return await send(given);
    } catch (error) {
      if (error.code !== "ReasonRequired" || round === ROUNDS) throw error;
      const reason = await reasons.demand(error.message, given ?? "");
      if (reason === null) throw error;
      reasons.remember(reason);
    }
  }
}
