import { type CommandDefinition } from './command';
import { shown } from '../bson/shown';
import { document, isDocument, type Value } from '../bson/values';

const idsOf = (sessions: Value[]): string[] => sessions.filter(isDocument).map((session) => shown(session.get('id')));

/** Sessions are what the client says they are; ending one closes its cursors. */
const endSessions = (name: string): CommandDefinition => ({
  access: 'control',
  fields: [],
  run: (call) => {
    for (const id of idsOf(call.array(name) ?? [])) call.services.cursors.killSession(id);
    return document({ ok: 1 });
  },
});

export const sessionCommands: Record<string, CommandDefinition> = {
  endSessions: endSessions('endSessions'),
  killSessions: endSessions('killSessions'),
  refreshSessions: { access: 'control', fields: [], run: () => document({ ok: 1 }) },
};
