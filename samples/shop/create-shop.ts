import express, { type Express, type Request, type Response } from 'express';

type Reservation = { id: string; orderId: string; sku: string; quantity: number; price: number };
type Charge = { id: string; orderId: string; amount: number; refunded: boolean };
export type Shop = {
  app: Express;
  /** What is in stock now, by article. */
  stock: Map<string, number>;
  charges: Map<string, Charge>;
  parcels: Map<string, { id: string; orderId: string }>;
};

const PRICES: Readonly<Record<string, number>> = { lamp: 20, desk: 99.5, chair: 45 };
const SALES_PER_PAGE = 2;

/**
 * A small shop in memory for the samples: stock, charges, parcels and the sales of a day. Every answer is kept under the
 * Idempotency-Key of its request and given again, so that a repeated call changes nothing. The card 4000 is refused; nobody
 * carries chairs.
 */
export function createShop(): Shop {
  const stock = new Map([
    ['lamp', 100],
    ['desk', 10],
    ['chair', 10],
  ]);
  const charges = new Map<string, Charge>();
  const parcels = new Map<string, { id: string; orderId: string }>();
  const reservations = new Map<string, Reservation>();
  const app = express();
  app.use(express.json());
  app.use(rememberAnswers());

  app.post('/reservations', ({ body }: Request<object, unknown, Reservation>, response) => {
    const left = stock.get(body.sku);
    if (left === undefined) return refuse(response, 404, `there is no ${body.sku}`);
    if (left < body.quantity) return refuse(response, 409, `${left} of ${body.sku} are left`);
    stock.set(body.sku, left - body.quantity);
    const id = `r${reservations.size + 1}`;
    const price = (PRICES[body.sku] ?? 10) * body.quantity;
    reservations.set(id, { ...body, id, price });
    return response.status(201).json({ id, price });
  });

  app.delete('/reservations/:id', ({ params }, response) => {
    const reservation = reservations.get(params.id);
    if (reservation === undefined) return refuse(response, 404, `there is no reservation ${params.id}`);
    reservations.delete(params.id);
    stock.set(reservation.sku, (stock.get(reservation.sku) ?? 0) + reservation.quantity);
    return response.json({ id: params.id, released: reservation.quantity });
  });

  app.post(
    '/charges',
    ({ body }: Request<object, unknown, { orderId: string; card: string; amount: number }>, response) => {
      if (body.card.startsWith('4000')) return refuse(response, 402, 'the card was refused');
      const id = `c${charges.size + 1}`;
      charges.set(id, { id, orderId: body.orderId, amount: body.amount, refunded: false });
      return response.status(201).json({ id, amount: body.amount });
    },
  );

  app.post('/charges/:id/refund', ({ params }, response) => {
    const charge = charges.get(params.id);
    if (charge === undefined) return refuse(response, 404, `there is no charge ${params.id}`);
    charge.refunded = true;
    return response.json({ id: params.id, refunded: charge.amount });
  });

  app.post('/parcels', ({ body }: Request<object, unknown, { orderId: string; reservation: string }>, response) => {
    const reservation = reservations.get(body.reservation);
    if (reservation === undefined) return refuse(response, 404, `there is no reservation ${body.reservation}`);
    if (reservation.sku === 'chair') return refuse(response, 409, 'nobody carries chairs');
    const id = `p${parcels.size + 1}`;
    parcels.set(id, { id, orderId: body.orderId });
    return response.status(201).json({ id });
  });

  app.get('/sales', ({ query }, response) => {
    const all = salesOf(String(query['day'] ?? ''));
    const from = Number(query['cursor'] || 0);
    const next = from + SALES_PER_PAGE < all.length ? String(from + SALES_PER_PAGE) : null;
    response.json({ sales: all.slice(from, from + SALES_PER_PAGE), next });
  });
  return { app, stock, charges, parcels };
}

function refuse(response: Response, status: number, error: string): Response {
  return response.status(status).json({ error });
}

/** The same day has the same sales: as many as the day of the month modulo 7, none on Sundays. */
function salesOf(day: string): { sku: string; quantity: number; amount: number }[] {
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.getUTCDay() === 0) return [];
  const articles = Object.entries(PRICES);
  return Array.from({ length: date.getUTCDate() % 7 }, (_, index) => {
    const [sku = '', price = 0] = articles[index % articles.length] ?? [];
    return { sku, quantity: index + 1, amount: price * (index + 1) };
  });
}

function rememberAnswers() {
  const answers = new Map<string, { status: number; body: unknown }>();
  return (request: Request, response: Response, next: () => void): void => {
    const key = request.get('idempotency-key');
    if (key === undefined) return next();
    const known = answers.get(key);
    if (known) return void response.status(known.status).json(known.body);
    const { json } = response;
    response.json = (body: unknown) => {
      answers.set(key, { status: response.statusCode, body });
      return json.call(response, body);
    };
    next();
  };
}
