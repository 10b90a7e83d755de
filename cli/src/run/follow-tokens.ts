import { tokenFor } from '../access/credentials.ts';

export type SeenEvent = {
  type: string;
  attempt: number;
  text?: string;
  provider?: string;
  model?: string;
  code?: string;
  message?: string;
};

/** Shows what several nodes say at the same time: a line says whose turn it is. */
export function createTokenPrinter(write: (text: string) => void): {
  show: (node: string, event: SeenEvent) => void;
  rest: () => void;
} {
  let speaker: string | null = null;
  let isOpen = false;
  const line = (text: string) => {
    write(`${isOpen ? '\n' : ''}${text}\n`);
    isOpen = false;
  };
  return {
    show(node, event) {
      if (event.type === 'start') {
        line(`  ${node} < ${event.provider}/${event.model}`);
        speaker = node;
      } else if (event.type === 'text' && event.text !== undefined) {
        if (speaker !== node) line(`  ${node} <`);
        speaker = node;
        write(event.text);
        isOpen = !event.text.endsWith('\n');
      } else if (event.type === 'reset') line(`  ${node} begins again`);
      else if (event.type === 'error') line(`  ${node} ${event.code}: ${event.message}`);
    },
    /** Before anybody else writes. */
    rest() {
      if (isOpen) write('\n');
      isOpen = false;
      speaker = null;
    },
  };
}

/** Reads the events of a node until its model has answered; a connection that breaks is taken up where it was. */
export async function followTokens(
  apiUrl: string,
  { runId, nodeId, path }: { runId: string; nodeId: string; path: string },
  { graphUrl, onEvent, signal }: { graphUrl: string; onEvent: (event: SeenEvent) => void; signal: AbortSignal },
): Promise<void> {
  const token = await tokenFor(graphUrl);
  const url = `${apiUrl}/runs/${encodeURIComponent(runId)}/nodes/${encodeURIComponent(nodeId)}/stream?iteration=${encodeURIComponent(path)}`;
  let last = '';
  for (let failures = 0; failures < 3 && !signal.aborted; failures += 1) {
    try {
      const headers = {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(last === '' ? {} : { 'last-event-id': last }),
      };
      const response = await fetch(url, { headers, signal });
      if (response.status !== 200 || response.body === null) return;
      for await (const { id, data } of serverSentEvents(response.body)) {
        last = id;
        failures = 0;
        onEvent(JSON.parse(data) as SeenEvent);
      }
      return;
    } catch {
      // Taken up again after the last event.
    }
  }
}

export async function* serverSentEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ id: string; event: string; data: string }> {
  const decoder = new TextDecoder();
  let buffer = '';
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true });
    for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
      const block = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field('data');
      if (data !== undefined) yield { id: field('id') ?? '', event: field('event') ?? 'message', data };
    }
  }
}
