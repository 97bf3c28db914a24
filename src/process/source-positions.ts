// What a position means, whichever family of sources wrote it: also of a connector that is deleted, and before any source is loaded.
import { positionsOf, type PositionForm } from '../core/position.js';
import { mysqlPositions } from '../source/mysql/position-form.js';
import { polledPositions } from '../source/polling/position.js';
import { sqlitePositions } from '../source/sqlite/position-form.js';

export const sourcePositions: PositionForm = positionsOf([mysqlPositions, sqlitePositions, polledPositions]);
