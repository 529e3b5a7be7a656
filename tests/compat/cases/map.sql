SELECT map('a', 1, 'b', 2)
SELECT mapFromArrays(['a', 'b'], [1, 2])
SELECT mapKeys(map('a', 1))
SELECT mapValues(map('a', 1))
SELECT mapContains(map('a', 1), 'a')
SELECT mapContainsKey(map('a', 1), 'b')
SELECT map('a', 1)['a']
SELECT map('a', 1)['z']
SELECT map()
SELECT mapConcat(map('a', 1), map('b', 2))
SELECT mapUpdate(map('a', 1), map('a', 2, 'b', 3))
SELECT mapSort(map('b', 1, 'a', 2))
SELECT mapReverseSort(map('a', 1, 'b', 2))
SELECT mapAdd(map('a', 1), map('a', 2, 'b', 3))
SELECT mapSubtract(map('a', 5), map('a', 2))
SELECT mapFilter((k, v) -> v > 1, map('a', 1, 'b', 2))
SELECT mapApply((k, v) -> (k, v + 1), map('a', 1))
SELECT mapExists((k, v) -> v = 1, map('a', 1))
SELECT mapAll((k, v) -> v = 1, map('a', 1))
SELECT mapSort((k, v) -> -v, map('a', 1, 'b', 2))
SELECT mapContainsKeyLike(map('abc', 1), 'a%')
SELECT mapContainsValue(map('a', 1), 1)
SELECT mapExtractKeyLike(map('abc', 1, 'x', 2), 'a%')
SELECT mapPopulateSeries(map(1, 10, 4, 40))
SELECT mapPopulateSeries(map(1, 10, 2, 20), 4)
SELECT mapContainsValueLike(map('a', 'xyz'), 'x%')
SELECT mapExtractValueLike(map('a', 'xyz', 'b', 'q'), 'x%')
SELECT mapPartialSort((k, v) -> v, 1, map('a', 2, 'b', 1))
SELECT mapFromString('a:1,b:2')
SELECT toTypeName(map('a', 1))
SELECT length(map('a', 1))
SELECT map('a', 1) = map('a', 1)
SELECT mapAdd((['a'], [1]), (['a', 'b'], [2, 3]))
SELECT mapFromArrays([1, 2], ['a', 'b'])
SELECT CAST((['a', 'b'], [1, 2]), 'Map(String, UInt8)')
SELECT getSubcolumn(map('a', 1), 'keys')
SELECT map('a', map('b', 1))['a']['b']
SELECT map('a', [1, 2])['a']
SELECT map(1, 2)[1]
SELECT map('a', NULL)
SELECT map('a')
SELECT mapFromArrays(['a'], [1, 2])
SELECT mapKeys(LogAttributes) FROM otel_logs ORDER BY Timestamp LIMIT 20
SELECT mapValues(LogAttributes) FROM otel_logs ORDER BY Timestamp LIMIT 20
SELECT LogAttributes['user.id'] FROM otel_logs ORDER BY Timestamp LIMIT 20
SELECT mapContains(LogAttributes, 'user.id') FROM otel_logs ORDER BY Timestamp LIMIT 20
SELECT length(LogAttributes) FROM otel_logs ORDER BY Timestamp LIMIT 20
SELECT mapConcat(ResourceAttributes, LogAttributes) FROM otel_logs ORDER BY Timestamp LIMIT 20
SELECT mapSort(LogAttributes) FROM otel_logs ORDER BY Timestamp LIMIT 20
SELECT mapUpdate(LogAttributes, map('x', 'y')) FROM otel_logs ORDER BY Timestamp LIMIT 20
SELECT toTypeName(LogAttributes) FROM otel_logs LIMIT 1
SELECT toTypeName(mapKeys(LogAttributes)) FROM otel_logs LIMIT 1
SELECT toTypeName(LogAttributes.keys) FROM otel_logs LIMIT 1
SELECT toTypeName(LogAttributes['a']) FROM otel_logs LIMIT 1
SELECT toTypeName(mapConcat(LogAttributes, LogAttributes)) FROM otel_logs LIMIT 1
