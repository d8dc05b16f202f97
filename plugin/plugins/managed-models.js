/*
 * Which models a managed account offers, made from OpenCode's catalogue. Pure. Apart from the plugins
 * themselves, because OpenCode takes every function that a plugin's file exports for a plugin.
 */

const FREE = { input: 0, output: 0, cache: { read: 0, write: 0 } };

/* What a ChatGPT account may use. The first two are made from a relative when the catalogue lacks them. */
const CODEX_MODELS = [
  "gpt-5.3-codex", "gpt-5.3-codex-spark", "gpt-5.4", "gpt-5.4-mini", "gpt-5.5",
  "gpt-5.6-luna", "gpt-5.6-sol", "gpt-5.6-terra", "gpt-6-luna", "gpt-6-sol",
];
const CODEX_ADDED = CODEX_MODELS.slice(0, 2);
const BUILD_MODEL = "grok-build-0.1";

const likeRelative = (relative, id, name = id) => ({ ...relative, id, name, api: { ...relative.api, id } });

/* `models` as OpenCode has them, by id. */
export function codexModels(models) {
  const managed = Object.fromEntries(
    Object.entries(models).filter(([id]) => CODEX_MODELS.includes(id)).map(([id, model]) => [id, { ...model, cost: FREE }]),
  );
  const relative = Object.values(managed)[0];
  for (const id of relative ? CODEX_ADDED : []) managed[id] ??= likeRelative(relative, id);
  return managed;
}

/* Adds the one that the catalogue may lack. */
export function xaiModels(models) {
  const relative = Object.values(models)[0];
  if (!relative || models[BUILD_MODEL]) return models;
  return { ...models, [BUILD_MODEL]: likeRelative(relative, BUILD_MODEL, "Grok Build 0.1") };
}
