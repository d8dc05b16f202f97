/*
 * xAI models through an account that the control plane keeps (S-526): each request gets a real token here.
 */
import { managedAccount } from "./managed-account.js";
import { xaiModels } from "./managed-models.js";
import { createTokenBroker, headersOf } from "./provider-token-broker.js";

export const XaiAuth = async () => {
  const broker = createTokenBroker("xai");

  const send = async (input, init) => {
    const headers = headersOf(input, init);
    headers.set("authorization", `Bearer ${(await broker.get()).accessToken}`);
    return fetch(input, { ...init, headers });
  };

  return managedAccount("xai", { models: xaiModels, send });
};
