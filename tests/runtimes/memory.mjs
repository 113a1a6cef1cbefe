import { readdirSync, readFileSync } from 'node:fs';

/**
 * The memory that a process and everything it has started hold now, in bytes. Linux only; elsewhere 0.
 * @param {number} pid
 * @returns {number}
 */
export function residentBytes(pid) {
  if (process.platform !== 'linux') return 0;
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    const parent = Number(field(name, 'PPid'));
    if (parent) parents.set(Number(name), parent);
  }
  const belongs = (id) => id === pid || (parents.has(id) && belongs(parents.get(id)));
  return [...parents.keys()].filter(belongs).reduce((sum, id) => sum + (parseInt(field(id, 'VmRSS'), 10) || 0) * 1024, 0);
}

/** One line of a process's status; nothing for one that has just ended. */
function field(id, name) {
  try {
    return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}
