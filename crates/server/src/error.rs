//! THE table of errors: what each kind of failure is on every wire. One match per protocol; nothing
//! else in the server translates errors.

use cairn_query::ErrorCode;
use cairn_storage::ErrorKind;
use http::StatusCode;

/// A ClickHouse error as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClickHouseError {
    /// The number after `Code: ` and in `X-ClickHouse-Exception-Code`.
    pub number: u16,
    /// The name in parentheses at the end of the message.
    pub name: &'static str,
    /// The HTTP status when nothing has been sent yet.
    pub status: StatusCode,
}

/// Number, name and HTTP status of a query error. Statuses are ClickHouse's, except that a full
/// queue is 503: client libraries retry that by themselves.
#[must_use]
#[expect(
    clippy::too_many_lines,
    reason = "one line for each code, nothing else"
)]
pub fn clickhouse_error(code: ErrorCode) -> ClickHouseError {
    use ErrorCode as E;
    let (number, name, status) = match code {
        E::CannotParseText => (6, "CANNOT_PARSE_TEXT", 400),
        E::CannotParseEscapeSequence => (25, "CANNOT_PARSE_ESCAPE_SEQUENCE", 400),
        E::CannotParseQuotedString => (26, "CANNOT_PARSE_QUOTED_STRING", 400),
        E::CannotParseInputAssertionFailed => (27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", 400),
        E::CannotParseDate => (38, "CANNOT_PARSE_DATE", 400),
        E::CannotParseDatetime => (41, "CANNOT_PARSE_DATETIME", 400),
        E::CannotParseNumber => (72, "CANNOT_PARSE_NUMBER", 400),
        E::CannotParseBool => (467, "CANNOT_PARSE_BOOL", 500),
        E::CannotParseUuid => (376, "CANNOT_PARSE_UUID", 400),
        E::CannotParseIpv4 => (675, "CANNOT_PARSE_IPV4", 400),
        E::CannotParseIpv6 => (676, "CANNOT_PARSE_IPV6", 400),
        E::AttemptToReadAfterEof => (32, "ATTEMPT_TO_READ_AFTER_EOF", 500),
        E::CannotReadAllData => (33, "CANNOT_READ_ALL_DATA", 500),
        E::ChecksumDoesntMatch => (40, "CHECKSUM_DOESNT_MATCH", 500),
        E::CannotDecompress => (271, "CANNOT_DECOMPRESS", 500),
        E::UnknownCodec => (432, "UNKNOWN_CODEC", 500),
        E::ZstdDecoderFailed => (561, "ZSTD_DECODER_FAILED", 500),
        E::Lz4DecoderFailed => (618, "LZ4_DECODER_FAILED", 500),
        E::BrotliReadFailed => (448, "BROTLI_READ_FAILED", 500),
        E::ZlibInflateFailed => (354, "ZLIB_INFLATE_FAILED", 500),
        E::UnknownCompressionMethod => (89, "UNKNOWN_COMPRESSION_METHOD", 500),
        E::CannotCompileRegexp => (427, "CANNOT_COMPILE_REGEXP", 400),
        E::SyntaxError => (62, "SYNTAX_ERROR", 400),
        E::QueryIsTooLarge => (229, "QUERY_IS_TOO_LARGE", 413),
        E::TooDeepAst => (167, "TOO_DEEP_AST", 400),
        E::TooBigAst => (168, "TOO_BIG_AST", 400),
        E::UnknownIdentifier => (47, "UNKNOWN_IDENTIFIER", 404),
        E::UnknownTable => (60, "UNKNOWN_TABLE", 404),
        E::UnknownDatabase => (81, "UNKNOWN_DATABASE", 404),
        E::UnknownFunction => (46, "UNKNOWN_FUNCTION", 404),
        E::UnknownAggregateFunction => (63, "UNKNOWN_AGGREGATE_FUNCTION", 404),
        E::UnknownType => (50, "UNKNOWN_TYPE", 404),
        E::UnknownFormat => (73, "UNKNOWN_FORMAT", 404),
        E::UnknownStorage => (56, "UNKNOWN_STORAGE", 404),
        E::UnknownSetting => (115, "UNKNOWN_SETTING", 404),
        E::UnknownRole => (511, "UNKNOWN_ROLE", 404),
        E::ThereIsNoProfile => (180, "THERE_IS_NO_PROFILE", 500),
        E::NoSuchColumnInTable => (16, "NO_SUCH_COLUMN_IN_TABLE", 500),
        E::AmbiguousIdentifier => (207, "AMBIGUOUS_IDENTIFIER", 500),
        E::AliasRequired => (206, "ALIAS_REQUIRED", 500),
        E::MultipleExpressionsForAlias => (179, "MULTIPLE_EXPRESSIONS_FOR_ALIAS", 500),
        E::NumberOfArgumentsDoesntMatch => (42, "NUMBER_OF_ARGUMENTS_DOESNT_MATCH", 500),
        E::TooFewArgumentsForFunction => (35, "TOO_FEW_ARGUMENTS_FOR_FUNCTION", 500),
        E::TooManyArgumentsForFunction => (34, "TOO_MANY_ARGUMENTS_FOR_FUNCTION", 500),
        E::IllegalTypeOfArgument => (43, "ILLEGAL_TYPE_OF_ARGUMENT", 500),
        E::BadArguments => (36, "BAD_ARGUMENTS", 400),
        E::ArgumentOutOfBound => (69, "ARGUMENT_OUT_OF_BOUND", 500),
        E::TypeMismatch => (53, "TYPE_MISMATCH", 400),
        E::CannotConvertType => (70, "CANNOT_CONVERT_TYPE", 500),
        E::NoCommonType => (386, "NO_COMMON_TYPE", 500),
        E::IllegalTypeOfColumnForFilter => (59, "ILLEGAL_TYPE_OF_COLUMN_FOR_FILTER", 500),
        E::SizesOfArraysDontMatch => (190, "SIZES_OF_ARRAYS_DONT_MATCH", 500),
        E::IllegalColumn => (44, "ILLEGAL_COLUMN", 400),
        E::IllegalDivision => (153, "ILLEGAL_DIVISION", 500),
        E::DecimalOverflow => (407, "DECIMAL_OVERFLOW", 500),
        E::ValueIsOutOfRangeOfDataType => (321, "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE", 400),
        E::UnknownElementOfEnum => (691, "UNKNOWN_ELEMENT_OF_ENUM", 500),
        E::CannotInsertNullInOrdinaryColumn => (349, "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN", 500),
        E::FunctionThrowIfValueIsNonZero => (395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", 500),
        E::TooLargeStringSize => (131, "TOO_LARGE_STRING_SIZE", 500),
        E::TooLargeArraySize => (128, "TOO_LARGE_ARRAY_SIZE", 500),
        E::IllegalAggregation => (184, "ILLEGAL_AGGREGATION", 500),
        E::NotAnAggregate => (215, "NOT_AN_AGGREGATE", 500),
        E::IncorrectResultOfScalarSubquery => (125, "INCORRECT_RESULT_OF_SCALAR_SUBQUERY", 500),
        E::UnionAllResultStructuresMismatch => (258, "UNION_ALL_RESULT_STRUCTURES_MISMATCH", 500),
        E::ExpectedAllOrDistinct => (558, "EXPECTED_ALL_OR_DISTINCT", 500),
        E::InvalidWithFillExpression => (475, "INVALID_WITH_FILL_EXPRESSION", 500),
        E::WithTiesWithoutOrderBy => (476, "WITH_TIES_WITHOUT_ORDER_BY", 500),
        E::InvalidJoinOnExpression => (403, "INVALID_JOIN_ON_EXPRESSION", 500),
        E::IllegalFinal => (181, "ILLEGAL_FINAL", 500),
        E::SamplingNotSupported => (141, "SAMPLING_NOT_SUPPORTED", 500),
        E::DeprecatedFunction => (721, "DEPRECATED_FUNCTION", 500),
        E::TimeoutExceeded => (159, "TIMEOUT_EXCEEDED", 408),
        E::TooSlow => (160, "TOO_SLOW", 500),
        E::TooManyRows => (158, "TOO_MANY_ROWS", 500),
        E::TooManyBytes => (307, "TOO_MANY_BYTES", 500),
        E::TooManyRowsOrBytes => (396, "TOO_MANY_ROWS_OR_BYTES", 500),
        E::MemoryLimitExceeded => (241, "MEMORY_LIMIT_EXCEEDED", 500),
        E::TooManySimultaneousQueries => (202, "TOO_MANY_SIMULTANEOUS_QUERIES", 503),
        E::QueryWasCancelled => (394, "QUERY_WAS_CANCELLED", 500),
        E::QueryWithSameIdIsAlreadyRunning => (216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", 500),
        E::Readonly => (164, "READONLY", 500),
        E::AccessDenied => (497, "ACCESS_DENIED", 403),
        E::IntoOutfileNotAllowed => (358, "INTO_OUTFILE_NOT_ALLOWED", 500),
        E::AuthenticationFailed => (516, "AUTHENTICATION_FAILED", 403),
        E::RequiredPassword => (194, "REQUIRED_PASSWORD", 401),
        E::SessionNotFound => (372, "SESSION_NOT_FOUND", 500),
        E::SessionIsLocked => (373, "SESSION_IS_LOCKED", 500),
        E::InvalidSessionTimeout => (374, "INVALID_SESSION_TIMEOUT", 500),
        E::UnknownQueryParameter => (456, "UNKNOWN_QUERY_PARAMETER", 500),
        E::BadQueryParameter => (457, "BAD_QUERY_PARAMETER", 500),
        E::HttpLengthRequired => (381, "HTTP_LENGTH_REQUIRED", 411),
        E::NetworkError => (210, "NETWORK_ERROR", 500),
        E::NotEnoughSpace => (243, "NOT_ENOUGH_SPACE", 500),
        E::NotImplemented => (48, "NOT_IMPLEMENTED", 501),
        E::ClusterDoesntExist => (701, "CLUSTER_DOESNT_EXIST", 500),
        E::NoElementsInConfig => (139, "NO_ELEMENTS_IN_CONFIG", 500),
        E::CorruptedData => (246, "CORRUPTED_DATA", 500),
        E::IncorrectData => (117, "INCORRECT_DATA", 400),
        E::NumberOfColumnsDoesntMatch => (20, "NUMBER_OF_COLUMNS_DOESNT_MATCH", 500),
        E::TableAlreadyExists => (57, "TABLE_ALREADY_EXISTS", 500),
        E::DatabaseAlreadyExists => (82, "DATABASE_ALREADY_EXISTS", 500),
        E::LogicalError => (49, "LOGICAL_ERROR", 500),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    ClickHouseError {
        number,
        name,
        status,
    }
}

/// How an ingest failure is told to an OTLP client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtlpError {
    /// Status of OTLP/HTTP.
    pub status: StatusCode,
    /// Code of OTLP/gRPC.
    pub code: tonic::Code,
    /// Whether the client should send the same request again, after a pause that the answer names.
    pub retry: bool,
}

/// The OTLP answer to a failure of this kind. Everything that is not the request's own fault is
/// retryable: with any other code clients drop their data.
#[must_use]
pub fn otlp_error(kind: ErrorKind) -> OtlpError {
    use tonic::Code;
    let (status, code, retry) = match kind {
        ErrorKind::Invalid => (StatusCode::BAD_REQUEST, Code::InvalidArgument, false),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, Code::NotFound, false),
        ErrorKind::Unsupported => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::Unimplemented,
            false,
        ),
        ErrorKind::Overloaded
        | ErrorKind::DiskFull
        | ErrorKind::Timeout
        | ErrorKind::Cancelled
        | ErrorKind::Unavailable
        | ErrorKind::Corrupt
        | ErrorKind::Internal => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, true),
    };
    OtlpError {
        status,
        code,
        retry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_see_the_numbers_names_and_statuses_of_clickhouse() {
        for (code, number, name, status) in [
            (ErrorCode::SyntaxError, 62, "SYNTAX_ERROR", 400),
            (ErrorCode::CannotParseText, 6, "CANNOT_PARSE_TEXT", 400),
            (ErrorCode::BadArguments, 36, "BAD_ARGUMENTS", 400),
            (ErrorCode::TypeMismatch, 53, "TYPE_MISMATCH", 400),
            (ErrorCode::RequiredPassword, 194, "REQUIRED_PASSWORD", 401),
            (
                ErrorCode::AuthenticationFailed,
                516,
                "AUTHENTICATION_FAILED",
                403,
            ),
            (ErrorCode::AccessDenied, 497, "ACCESS_DENIED", 403),
            (ErrorCode::UnknownIdentifier, 47, "UNKNOWN_IDENTIFIER", 404),
            (ErrorCode::UnknownTable, 60, "UNKNOWN_TABLE", 404),
            (ErrorCode::UnknownFormat, 73, "UNKNOWN_FORMAT", 404),
            (ErrorCode::TimeoutExceeded, 159, "TIMEOUT_EXCEEDED", 408),
            (
                ErrorCode::HttpLengthRequired,
                381,
                "HTTP_LENGTH_REQUIRED",
                411,
            ),
            (ErrorCode::QueryIsTooLarge, 229, "QUERY_IS_TOO_LARGE", 413),
            (ErrorCode::Readonly, 164, "READONLY", 500),
            (
                ErrorCode::MemoryLimitExceeded,
                241,
                "MEMORY_LIMIT_EXCEEDED",
                500,
            ),
            (ErrorCode::LogicalError, 49, "LOGICAL_ERROR", 500),
            (ErrorCode::NotImplemented, 48, "NOT_IMPLEMENTED", 501),
            (
                ErrorCode::TooManySimultaneousQueries,
                202,
                "TOO_MANY_SIMULTANEOUS_QUERIES",
                503,
            ),
        ] {
            let error = clickhouse_error(code);
            assert_eq!(
                (error.number, error.name, error.status.as_u16()),
                (number, name, status)
            );
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "the list of all codes")]
    fn names_are_the_variants_in_upper_case() {
        use ErrorCode as E;
        let all = [
            E::CannotParseText,
            E::CannotParseEscapeSequence,
            E::CannotParseQuotedString,
            E::CannotParseInputAssertionFailed,
            E::CannotParseDate,
            E::CannotParseDatetime,
            E::CannotParseNumber,
            E::CannotParseBool,
            E::CannotParseUuid,
            E::CannotParseIpv4,
            E::CannotParseIpv6,
            E::AttemptToReadAfterEof,
            E::CannotReadAllData,
            E::ChecksumDoesntMatch,
            E::CannotDecompress,
            E::UnknownCodec,
            E::ZstdDecoderFailed,
            E::Lz4DecoderFailed,
            E::BrotliReadFailed,
            E::ZlibInflateFailed,
            E::UnknownCompressionMethod,
            E::CannotCompileRegexp,
            E::SyntaxError,
            E::QueryIsTooLarge,
            E::TooDeepAst,
            E::TooBigAst,
            E::UnknownIdentifier,
            E::UnknownTable,
            E::UnknownDatabase,
            E::UnknownFunction,
            E::UnknownAggregateFunction,
            E::UnknownType,
            E::UnknownFormat,
            E::UnknownStorage,
            E::UnknownSetting,
            E::UnknownRole,
            E::ThereIsNoProfile,
            E::NoSuchColumnInTable,
            E::AmbiguousIdentifier,
            E::AliasRequired,
            E::MultipleExpressionsForAlias,
            E::NumberOfArgumentsDoesntMatch,
            E::TooFewArgumentsForFunction,
            E::TooManyArgumentsForFunction,
            E::IllegalTypeOfArgument,
            E::BadArguments,
            E::ArgumentOutOfBound,
            E::TypeMismatch,
            E::CannotConvertType,
            E::NoCommonType,
            E::IllegalTypeOfColumnForFilter,
            E::SizesOfArraysDontMatch,
            E::IllegalColumn,
            E::IllegalDivision,
            E::DecimalOverflow,
            E::ValueIsOutOfRangeOfDataType,
            E::UnknownElementOfEnum,
            E::CannotInsertNullInOrdinaryColumn,
            E::FunctionThrowIfValueIsNonZero,
            E::TooLargeStringSize,
            E::TooLargeArraySize,
            E::IllegalAggregation,
            E::NotAnAggregate,
            E::IncorrectResultOfScalarSubquery,
            E::UnionAllResultStructuresMismatch,
            E::ExpectedAllOrDistinct,
            E::InvalidWithFillExpression,
            E::WithTiesWithoutOrderBy,
            E::InvalidJoinOnExpression,
            E::IllegalFinal,
            E::SamplingNotSupported,
            E::DeprecatedFunction,
            E::TimeoutExceeded,
            E::TooSlow,
            E::TooManyRows,
            E::TooManyBytes,
            E::TooManyRowsOrBytes,
            E::MemoryLimitExceeded,
            E::TooManySimultaneousQueries,
            E::QueryWasCancelled,
            E::QueryWithSameIdIsAlreadyRunning,
            E::Readonly,
            E::AccessDenied,
            E::IntoOutfileNotAllowed,
            E::AuthenticationFailed,
            E::RequiredPassword,
            E::SessionNotFound,
            E::SessionIsLocked,
            E::InvalidSessionTimeout,
            E::UnknownQueryParameter,
            E::BadQueryParameter,
            E::HttpLengthRequired,
            E::NetworkError,
            E::NotEnoughSpace,
            E::NotImplemented,
            E::ClusterDoesntExist,
            E::NoElementsInConfig,
            E::CorruptedData,
            E::IncorrectData,
            E::NumberOfColumnsDoesntMatch,
            E::TableAlreadyExists,
            E::DatabaseAlreadyExists,
            E::LogicalError,
        ];
        let mut numbers = std::collections::HashSet::new();
        for code in all {
            let error = clickhouse_error(code);
            let spelled = error.name.replace('_', "").to_lowercase();
            assert_eq!(spelled, format!("{code:?}").to_lowercase());
            assert!(
                numbers.insert(error.number),
                "{} is used twice",
                error.number
            );
        }
    }

    #[test]
    fn otlp_clients_retry_unless_the_request_itself_is_wrong() {
        for (kind, status, code) in [
            (ErrorKind::Invalid, 400, tonic::Code::InvalidArgument),
            (ErrorKind::NotFound, 404, tonic::Code::NotFound),
            (ErrorKind::Unsupported, 415, tonic::Code::Unimplemented),
            (ErrorKind::Overloaded, 503, tonic::Code::Unavailable),
            (ErrorKind::DiskFull, 503, tonic::Code::Unavailable),
            (ErrorKind::Timeout, 503, tonic::Code::Unavailable),
            (ErrorKind::Cancelled, 503, tonic::Code::Unavailable),
            (ErrorKind::Unavailable, 503, tonic::Code::Unavailable),
            (ErrorKind::Corrupt, 503, tonic::Code::Unavailable),
            (ErrorKind::Internal, 503, tonic::Code::Unavailable),
        ] {
            let error = otlp_error(kind);
            assert_eq!(
                (error.status.as_u16(), error.code),
                (status, code),
                "{kind:?}"
            );
            assert_eq!(error.retry, status == 503, "{kind:?}");
        }
    }
}
