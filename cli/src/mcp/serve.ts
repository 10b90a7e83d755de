import { serveOverStdio } from '../../../adapters/mcp/serve-over-stdio.ts';
import { tokenFor } from '../access/credentials.ts';
import type { ServeMcpOptions } from '../mcp-commands.ts';
import { UsageError } from '../usage-error.ts';

const PATHS: Readonly<Record<string, string>> = {
  weft: '/mcp',
  'customer-support': '/mcp/customer-support',
  'knowledge-base': '/mcp/knowledge-base',
};

/** Until whoever started it closes stdin. */
export async function serve(name: string, { url, api }: ServeMcpOptions): Promise<number> {
  const address = new URL(PATHS[name] ?? '/mcp', api).href;
  const token = async () => (await tokenFor(url)) ?? null;
  try {
    await serveOverStdio({ url: address, token }, (error) => process.stderr.write(`${error.message}\n`));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${address} does not speak MCP with us: ${why}`,
      'Start it with: npm start. Sign in: weft login.',
    );
  }
  return 0;
}
