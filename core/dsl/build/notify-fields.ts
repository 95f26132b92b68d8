import { maxNoticeChannels, noticeChannels, noticeEvents, secretPattern } from '../../contract/notice';
import type { PlanNotification } from '../../plan/types';
import { reportBadValue, type FieldReader, type Word } from '../fields';
import type { Field } from '../keyed-map';
import { readItems } from './operation-fields';

/** `[{channel, url|to, on}…]`, or bare names of channels. */
export function readNotify(reader: FieldReader): PlanNotification[] {
  const items = readItems(reader, 'notify', 'notification', (word) => {
    const channel = noticeChannels.find((name) => name === word.toLowerCase());
    return channel === undefined ? undefined : 'channel';
  });
  const tooMany = items[maxNoticeChannels];
  if (tooMany !== undefined) {
    reader.context.sink.report({
      code: 'too_large',
      message: `more than ${maxNoticeChannels} notifications`,
      path: tooMany.fields.path,
      span: tooMany.fields.span,
    });
  }
  return items.flatMap((own): PlanNotification[] => {
    const channel = own.choice('channel', noticeChannels);
    if (channel === undefined) {
      if (own.fields.get('channel') === undefined) {
        reader.context.sink.report({
          code: 'missing_key',
          message: 'a notification needs a `channel`',
          hint: `channels: ${noticeChannels.join(', ')}`,
          path: own.fields.path,
          span: own.fields.span,
        });
      }
      return [];
    }
    const url = own.text('url');
    const to = own.text('to');
    checkAddress(own, channel);
    const words = own.words('on');
    return [
      {
        channel,
        ...(url === undefined ? {} : { url }),
        ...(to === undefined ? {} : { to }),
        on: words === undefined ? [...noticeEvents] : readEvents(reader, words),
      },
    ];
  });
}

/** `on_late.notify` says whom; only a channel tells them. */
export function checkLateIsTold(reader: FieldReader, people: readonly Word[], notify: readonly PlanNotification[]): void {
  const [first] = people;
  if (first === undefined || (reader.fields.get('notify') !== undefined && notify.length === 0)) return;
  if (notify.some(({ on }) => on.includes('late'))) return;
  reader.context.sink.report({
    code: 'contradiction',
    severity: 'warning',
    message: '`on_late` names whom to notify, but no channel of `notify` tells of `late`',
    hint: 'add `late` to the events of a channel, or write `notify: log`',
    path: first.path,
    span: first.span,
  });
}

const addressKeys = { log: undefined, webhook: 'url', slack: 'url', email: 'to' } as const;

/** A channel has the address that it needs, and no other. */
function checkAddress(own: FieldReader, channel: PlanNotification['channel']): void {
  const needed = addressKeys[channel];
  for (const key of ['url', 'to'] as const) {
    const field = own.fields.get(key);
    if (key === needed && field === undefined) {
      own.context.sink.report({
        code: 'missing_key',
        message: `a notification by ${channel} needs \`${key}\``,
        hint: key === 'url' ? 'write `url: "https://…"`' : 'write `to: team@example.com`',
        path: own.fields.path,
        span: own.fields.span,
      });
    } else if (key === needed && field !== undefined) {
      checkForm(own, field, key);
    } else if (key !== needed && field !== undefined) {
      own.context.sink.report({
        code: 'contradiction',
        message: `\`${field.written}\` means nothing to the channel \`${channel}\``,
        hint: needed === undefined ? `remove \`${field.written}\`` : `its address is \`${needed}\``,
        path: field.path,
        span: field.keySpan,
      });
    }
  }
}

/** What is sure to be refused when something is to be told is refused now. What is secret about an address only a worker knows. */
function checkForm(own: FieldReader, { node, path, written }: Field, key: 'url' | 'to'): void {
  if (node.kind !== 'scalar') return;
  const text = node.text.trim();
  const refuse = (expected: string, hint: string): void => reportBadValue(own.context, { node, path, name: written, expected, hint });
  if (key === 'to') {
    if (!/\S@\S/.test(text)) refuse('an address of mail', 'write `to: team@example.com`');
    return;
  }
  const known = text.replace(secretPattern, 's');
  if (known.includes('${')) refuse('an address', 'a secret of the worker is written `${secret:NAME}`');
  else if (!/^https?:\/\/[^\s/]/i.test(known) && !text.startsWith('${secret:'))
    refuse('an address of http or https', 'write `url: "https://…"`, or `url: "${secret:NAME}"`');
}

function readEvents(reader: FieldReader, words: readonly Word[]): PlanNotification['on'] {
  return words.flatMap((word) => {
    const event = noticeEvents.find((name) => name === word.text.toLowerCase());
    if (event !== undefined) return [event];
    const hint = `events: ${noticeEvents.join(', ')}`;
    reader.context.sink.report({
      code: 'bad_value',
      message: `there is no event \`${word.text.slice(0, 60)}\``,
      hint,
      path: word.path,
      span: word.span,
    });
    return [];
  });
}
