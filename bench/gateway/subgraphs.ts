import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';

/**
 * The four subgraphs of the public gateway benchmark in shape and size: users, products, their stock and their reviews.
 * Each answer is made once by graphql-js and then sent from memory, so that the gateway is what is measured.
 */
type Representation = { __typename: string; id: string; upc: string; price: number | null; weight: number | null };

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.0",
  import: ["@key", "@external", "@requires", "@provides", "@shareable"])`;
const PRODUCTS = Array.from({ length: 9 }, (_, index) => ({
  upc: String(index + 1),
  name: ['Table', 'Couch', 'Glass', 'Chair', 'TV', 'Lamp', 'Grill', 'Fridge', 'Sofa'][index],
  price: [899, 1299, 15, 499, 1299, 6999, 3999, 100_000, 9999][index],
  weight: [100, 1000, 20, 100, 1000, 300, 2000, 6000, 800][index],
}));
const USERS = Array.from({ length: 6 }, (_, index) => ({
  id: String(index + 1),
  name: `Name Number ${index}`,
  username: `username-${index}`,
  birthday: 1_234_567_890,
}));
const BODY_LENGTHS = [445, 291, 276, 141, 445, 291, 276, 141, 141, 141, 820];
const REVIEWED = ['1', '1', '1', '1', '2', '2', '2', '2', '3', '4', '4'];
type Review = { id: string; body: string; product: object; author: object };
const productOf = (upc: string): object => ({
  upc,
  reviews: () => REVIEWS.filter((_, index) => REVIEWED[index] === upc),
});
/** Everybody has written the same two. */
const userOf = (id: string): object => ({ id, username: 'username-0', reviews: () => REVIEWS.slice(0, 2) });
const REVIEWS: readonly Review[] = BODY_LENGTHS.map((length, index) => ({
  id: String(index + 1),
  body: 'Whoever sits here reads on for a while, and then a little more. '.repeat(13).slice(0, length),
  product: productOf(REVIEWED[index] ?? ''),
  author: userOf('1'),
}));

export const SUBGRAPHS: Record<
  string,
  { sdl: string; root: object; entity: (representation: Representation) => unknown }
> = {
  accounts: {
    sdl: `${LINK}
        type Query { me: User user(id: ID!): User users: [User] }
        type User @key(fields: "id") { id: ID! name: String username: String @shareable birthday: Int }`,
    root: {
      me: USERS[0],
      users: USERS,
      user: ({ id }: { id: string }) => USERS.find((user) => user.id === id),
    },
    entity: ({ id }) => USERS.find((user) => user.id === id),
  },
  inventory: {
    sdl: `${LINK}
        type Product @key(fields: "upc") {
          upc: String! weight: Int @external price: Int @external inStock: Boolean
          shippingEstimate: Int @requires(fields: "price weight")
        }`,
    root: {},
    entity: ({ upc, price, weight }) => ({
      upc,
      inStock: Number(upc) % 2 === 1,
      shippingEstimate: price == null ? null : price > 1000 ? 0 : Math.floor((weight ?? 0) / 2),
    }),
  },
  products: {
    sdl: `${LINK}
        type Query { topProducts(first: Int = 5): [Product] }
        type Product @key(fields: "upc") { upc: String! weight: Int price: Int name: String }`,
    root: { topProducts: ({ first }: { first: number }) => PRODUCTS.slice(0, first) },
    entity: ({ upc }) => PRODUCTS.find((product) => product.upc === upc),
  },
  reviews: {
    sdl: `${LINK}
        type Review @key(fields: "id") { id: ID! body: String product: Product author: User @provides(fields: "username") }
        type User @key(fields: "id") { id: ID! username: String @external reviews: [Review] }
        type Product @key(fields: "upc") { upc: String! reviews: [Review] }`,
    root: {},
    entity: ({ __typename, id, upc }) => {
      if (__typename === 'User') return userOf(id);
      return __typename === 'Product' ? productOf(upc) : REVIEWS.find((one) => one.id === id);
    },
  },
};

/** Serves `/accounts` and the others at one port. */
export async function serveSubgraphs(): Promise<number> {
  const answers = new Map<string, Promise<Buffer>>();
  const schemas = new Map(Object.entries(SUBGRAPHS).map(([name, one]) => [name, schemaOf(one)]));
  const answer = async (name: string, body: string): Promise<Buffer> => {
    const { query, variables } = JSON.parse(body) as { query: string; variables?: Record<string, unknown> };
    const schema = schemas.get(name);
    if (schema === undefined) throw new Error(`No subgraph ${name}`);
    const rootValue = SUBGRAPHS[name]?.root;
    return Buffer.from(
      JSON.stringify(await graphql({ schema, source: query, variableValues: variables ?? {}, rootValue })),
    );
  };
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) ?? '';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    const reply = async () => {
      const body = Buffer.concat(chunks).toString();
      const key = `${name} ${body}`;
      const known = answers.get(key) ?? answer(name, body);
      answers.set(key, known);
      const bytes = await known;
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
    };
    request.on('end', () => void reply());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function schemaOf({ sdl, entity }: (typeof SUBGRAPHS)[string]) {
  const resolvers = Object.fromEntries(
    ['User', 'Product', 'Review']
      .filter((type) => sdl.includes(`type ${type} `))
      .map((type) => [type, { __resolveReference: entity }]),
  );
  return buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers }]);
}
