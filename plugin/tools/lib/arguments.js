/*
 * What a model gives as arguments. OpenCode lists every argument as required, so one that is not
 * wanted comes empty, and is then left out of the request.
 */

export const text = (value) => (typeof value === "string" && value.trim() ? value.trim() : undefined);

/* A tool never throws at the model (S-514): a failure is a text that begins with `what`. */
export function neverThrows(what, execute) {
  return async (args, context) => {
    try {
      return await execute(args ?? {}, context);
    } catch (error) {
      return `${what}: ${error?.message ?? error}.`;
    }
  };
}
