/** An AMQP error for the client: what it asked for is not done. */
export class Refusal extends Error {
  constructor(condition, description) {
    super(description);
    this.condition = condition;
  }

  get error() { return amqpError(this.condition, this.message); }
}

/** All three fields are set: the Python SDK reads them by position. */
export const amqpError = (condition, description) => ({ condition, description, info: {} });
