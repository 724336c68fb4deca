/**
 * Functions of PostgreSQL that lock no table. A function of somebody else may do anything, so a statement that calls one
 * that is not listed here is not known. Those that take a text and run it (query_to_xml, ts_stat, …) are left out.
 */
export const harmlessFunctions: ReadonlySet<string> = new Set(
  `set_config current_setting current_database current_schema current_schemas pg_backend_pid version
  pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
  pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
  pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_sleep pg_typeof format_type to_regclass to_regtype
  to_regnamespace to_regproc to_regrole obj_description col_description pg_get_constraintdef has_table_privilege
  now transaction_timestamp statement_timestamp clock_timestamp timeofday date_trunc date_part extract age make_date
  make_timestamp make_timestamptz make_interval to_timestamp to_char to_date to_number timezone
  random gen_random_uuid uuidv4 uuidv7 nextval currval lastval setval hashtext hashtextextended md5 sha256 sha512 digest
  encode decode
  count sum avg min max array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg bool_and bool_or every
  stddev stddev_pop stddev_samp variance var_pop var_samp percentile_cont percentile_disc mode
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  abs ceil ceiling floor round trunc sign sqrt power exp ln log mod div width_bucket
  lower upper initcap length char_length octet_length substr substring overlay position strpos left right lpad rpad
  btrim ltrim rtrim replace translate reverse repeat split_part concat concat_ws format quote_ident quote_literal
  quote_nullable regexp_replace regexp_match regexp_matches regexp_split_to_array regexp_split_to_table regexp_like
  regexp_count regexp_substr string_to_array array_to_string starts_with chr ascii nullif
  generate_series unnest array_length array_position array_positions array_append array_prepend array_cat array_remove
  array_replace cardinality array_upper array_lower
  to_json to_jsonb json_build_array json_build_object jsonb_build_array jsonb_build_object json_array_length
  jsonb_array_length json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text
  json_each jsonb_each json_each_text jsonb_each_text json_typeof jsonb_typeof json_extract_path
  jsonb_extract_path json_extract_path_text jsonb_extract_path_text jsonb_set jsonb_insert jsonb_strip_nulls
  jsonb_path_exists jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_path_match
  jsonb_object_keys json_object_keys jsonb_pretty row_to_json`.split(/\s+/),
);

/** Those whose value is the same in all rows of a statement: a column that is added with one as its default is not filled row by row. */
export const stableFunctions: ReadonlySet<string> = new Set([
  'now',
  'transaction_timestamp',
  'statement_timestamp',
  'current_database',
  'current_schema',
]);

/** Those that give each row a value of its own. */
export const volatileFunctions: ReadonlySet<string> = new Set([
  'random',
  'gen_random_uuid',
  'uuidv4',
  'uuidv7',
  'nextval',
  'clock_timestamp',
  'timeofday',
]);
