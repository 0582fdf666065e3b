import { ofDeployment } from "../access/targets.js";
import { builder } from "../graphql/builder.js";
import { runCommand } from "../graphql/request-context.js";
import type { KeyRing } from "./master-key.js";
import { rotateMasterKey, sealedByKey } from "./rewrap-secrets.js";

interface MasterKeyView {
  readonly ring: KeyRing;
  readonly sealed: Awaited<ReturnType<typeof sealedByKey>>;
  readonly moved: number;
}

/** The key that seals all others: which is in force on this server, and what is sealed by which. */
export function defineMasterKey(): void {
  const SealedRef = builder.objectRef<MasterKeyView["sealed"][number]>("SealedSecrets").implement({
    description: "Values whose keys one master key has sealed.",
    fields: (t) => ({
      masterKey: t.exposeString("keyId", { description: "The master key's id: derived from it, and tells nothing about it." }),
      values: t.exposeInt("secrets", { description: "How many." }),
    }),
  });
  const MasterKeyRef = builder.objectRef<MasterKeyView>("MasterKey").implement({
    description: "The master keys of the server that answers. Never a key, only ids.",
    authScopes: { can: "control.write" },
    fields: (t) => ({
      current: t.string({ description: "The id of the one that seals.", resolve: ({ ring }) => ring.current.id }),
      others: t.stringList({ description: "The ids of those that only open.", resolve: ({ ring }) => ring.previous.map(({ id }) => id) }),
      sealed: t.field({
        type: [SealedRef],
        description: "What is sealed by which, in the whole deployment.",
        resolve: ({ sealed }) => sealed,
      }),
      remaining: t.int({
        description: "Values that others than the current one have sealed; at 0 the others may be thrown away.",
        resolve: ({ ring, sealed }) => sealed.reduce((sum, one) => sum + (one.keyId === ring.current.id ? 0 : one.secrets), 0),
      }),
      moved: t.exposeInt("moved", { description: "Rows that this call has sealed again." }),
    }),
  });
  const RotateInput = builder.inputType("RotateMasterKeyInput", {
    description: "That everything is to be sealed by the current master key.",
    fields: (t) => ({ reason: t.string({ description: "Why; it goes into the audit trail." }) }),
  });
  builder.queryField("masterKey", (t) =>
    t.field({
      type: MasterKeyRef,
      authScopes: { can: "control.write" },
      description: "Which master keys this server has, and what is sealed by which.",
      complexity: 1_000,
      resolve: async (_root, _args, { whole, catalogue }) => ({ ring: catalogue.keys, sealed: await sealedByKey(whole.db), moved: 0 }),
    }),
  );
  builder.mutationField("rotateMasterKey", (t) =>
    t.field({
      type: MasterKeyRef,
      authScopes: { can: "control.write" },
      description:
        "Seals what other master keys have sealed by the current one: at most 10,000 rows a call; call it again until `remaining` is 0.",
      args: { input: t.arg({ type: RotateInput, required: true, description: "Why." }) },
      resolve: async (_root, { input }, context) => {
        const { keys } = context.catalogue;
        const moved = await runCommand(context, ofDeployment("control.write"), (command) =>
          rotateMasterKey({ ...command, keys }, { reason: input.reason ?? undefined }),
        );
        return { ring: keys, sealed: await sealedByKey(context.whole.db), moved };
      },
    }),
  );
}
