import {
  GraphQLInputObjectType,
  GraphQLInterfaceType,
  GraphQLObjectType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  lexicographicSortSchema,
  printSchema,
} from "graphql";
import { describe, expect, it } from "vitest";
import { apiSchema } from "./schema.js";

const ownTypes = () => Object.values(apiSchema().getTypeMap()).filter((type) => !type.name.startsWith("__"));
const withFields = () =>
  ownTypes().filter(
    (type): type is GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType =>
      isObjectType(type) || isInterfaceType(type) || isInputObjectType(type),
  );

describe("the API's schema", () => {
  it("is the committed packages/server/schema.graphql (npm run schema:write -w @quiesce/server writes it)", async () => {
    await expect(`${printSchema(lexicographicSortSchema(apiSchema()))}\n`).toMatchFileSnapshot("../../schema.graphql");
  });

  it("describes every type, field and argument", () => {
    const bare: string[] = ownTypes()
      .filter((type) => !type.description && !["Boolean", "Float", "ID", "Int", "String"].includes(type.name))
      .map((type) => type.name);
    for (const type of withFields()) {
      for (const field of Object.values(type.getFields())) {
        if (!field.description) bare.push(`${type.name}.${field.name}`);
        if ("args" in field) for (const arg of field.args) if (!arg.description) bare.push(`${type.name}.${field.name}(${arg.name})`);
      }
    }
    expect(bare.filter((name) => !/^Query\.nodes?\(ids?\)$/.test(name))).toEqual([]);
  });

  it("names enum values in capitals", () => {
    const values = ownTypes()
      .filter(isEnumType)
      .flatMap((type) => type.getValues().map(({ name }) => name));
    expect(values.filter((name) => !/^[A-Z][A-Z_]*$/.test(name))).toEqual([]);
  });

  it("gives every object of its own a place behind a right: no root field is open to a role that may do nothing", () => {
    for (const root of [apiSchema().getQueryType(), apiSchema().getMutationType(), apiSchema().getSubscriptionType()]) {
      for (const field of Object.values(root?.getFields() ?? {})) {
        const options = field.extensions["pothosOptions"];
        const guarded = typeof options === "object" && options !== null && "authScopes" in options;
        // node and nodes answer typed objects only, whose types are guarded themselves.
        expect(guarded || ["node", "nodes"].includes(field.name), `${root?.name}.${field.name}`).toBe(true);
      }
    }
  });
});
