/**
 * SQL for what an execution cost: what the agent said, else its rates in the registry times duration and tokens, null where
 * neither is known. `row` has cost_usd, duration_ms, tokens_in, tokens_out and agent_id. The result fits numeric(14,6).
 */
export function costSql(row: string): string {
  return `least(99999999, coalesce(${row}.cost_usd, (
    select nullif(coalesce((a.cost->>'usdPerHour')::float8, 0) * ${row}.duration_ms / 3600000
      + coalesce((a.cost->>'usdPerMtokIn')::float8, 0) * coalesce(${row}.tokens_in, 0) / 1000000
      + coalesce((a.cost->>'usdPerMtokOut')::float8, 0) * coalesce(${row}.tokens_out, 0) / 1000000, 0)::numeric
    from agents a where a.id = ${row}.agent_id)))`;
}
