// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Extensions.Common.Ratelimit.V3;
using Envoy.Extensions.Filters.Http.LocalRatelimit.V3;
using Envoy.Type.V3;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>A local rate limit ⇄ the settings of Envoy's filter, of a chain or of a route.</summary>
internal static class RateLimits
{
    private const int Million = 1_000_000;
    private const int LeastStatus = 400;
    private const int MostStatus = 599;
    private const int MaxDescriptors = 256;
    private const int MaxStage = 10;

    private static readonly MessageParser<LocalRateLimit> _parser = LocalRateLimit.Parser.WithDiscardUnknownFields(true);

    public static LocalRateLimit Encode(RateLimitPlan plan)
    {
        var limit = new LocalRateLimit
        {
            StatPrefix = plan.Name,
            Status = new HttpStatus { Code = (StatusCode)plan.Status },
            FilterEnabled = Share(plan.EnabledPpm),
            FilterEnforced = Share(plan.EnforcedPpm),
        };
        if (plan.Bucket is { } bucket)
        {
            limit.TokenBucket = Encode(bucket);
        }

        limit.Descriptors.AddRange(plan.Descriptors.Select(described => new LocalRateLimitDescriptor
        {
            Entries = { described.Entries.Select(entry => new RateLimitDescriptor.Types.Entry { Key = entry.Key, Value = entry.Value }) },
            TokenBucket = Encode(described.Bucket),
        }));
        limit.Stage = (uint)plan.Stage;
        limit.AlwaysConsumeDefaultTokenBucket = plan.AlwaysTakesCommon ? null : false;
        limit.EnableXRatelimitHeaders = plan.ShowsHeaders ? XRateLimitHeadersRFCVersion.DraftVersion03 : XRateLimitHeadersRFCVersion.Off;
        limit.RateLimitedAsResourceExhausted = plan.AsResourceExhausted;
        limit.ResponseHeadersToAdd.AddRange(plan.Headers.Select(Encode));
        return limit;
    }

    public static HeaderValueOption Encode(HeaderPlan header) => new()
    {
        Header = new HeaderValue { Key = header.Name, Value = header.Value },
        AppendAction = HeaderValueOption.Types.HeaderAppendAction.OverwriteIfExistsOrAdd,
    };

    public static RateLimitPlan? Unpack(DecodeScope scope, Any any) =>
        scope.Unpack(_parser, any, TypeUrls.RateLimit) is { } limit ? Decode(scope, limit) : null;

    /// <summary>The limit among what filters are told for a route or a virtual host.</summary>
    public static RateLimitPlan? Find(DecodeScope scope, MapField<string, Any> filters)
    {
        if (!filters.TryGetValue(Wrap.RateLimitFilter, out var any))
        {
            return null;
        }

        using var at = scope.At("typed_per_filter_config");
        return Unpack(scope, any);
    }

    private static TokenBucket Encode(TokenBucketPlan bucket) => new()
    {
        MaxTokens = (uint)bucket.MaxTokens,
        TokensPerFill = (uint)bucket.TokensPerFill,
        FillInterval = Wrap.Duration(bucket.FillIntervalMs),
    };

    private static RateLimitPlan Decode(DecodeScope scope, LocalRateLimit limit)
    {
        if (limit.StatPrefix.Length == 0)
        {
            scope.Error("stat_prefix is missing");
        }

        // As Envoy has it: a share that is not given is none at all.
        return new RateLimitPlan(
            limit.StatPrefix,
            limit.TokenBucket is { } bucket ? Bucket(scope, bucket) : null,
            ActionDecoder.Ppm(limit.FilterEnabled?.DefaultValue),
            ActionDecoder.Ppm(limit.FilterEnforced?.DefaultValue),
            Status(limit.Status, RateLimitPlan.TooManyRequests),
            [.. limit.ResponseHeadersToAdd.Select(option => Header(scope, option))])
        {
            Descriptors = [.. limit.Descriptors.Select((described, i) => Described(scope, described, i))],
            Stage = (int)Math.Min(limit.Stage, MaxStage),
            AlwaysTakesCommon = limit.AlwaysConsumeDefaultTokenBucket ?? true,
            ShowsHeaders = limit.EnableXRatelimitHeaders == XRateLimitHeadersRFCVersion.DraftVersion03,
            AsResourceExhausted = limit.RateLimitedAsResourceExhausted,
        };
    }

    private static DescribedLimitPlan Described(DecodeScope scope, LocalRateLimitDescriptor described, int index)
    {
        using var at = scope.At("descriptors", index);
        if (described.Entries.Count == 0 || described.Entries.Any(entry => entry.Key.Length == 0 || entry.Value.Length == 0))
        {
            scope.Error("there must be entries, each with a key and a value; a bucket for every value of a key is not supported");
        }

        if (index >= MaxDescriptors)
        {
            scope.Error($"more than {MaxDescriptors} are not supported");
        }

        if (described.TokenBucket is null)
        {
            scope.Error("token_bucket is missing");
        }

        return new DescribedLimitPlan(
            [.. described.Entries.Select(entry => new DescriptorEntryPlan(entry.Key, entry.Value))], Bucket(scope, described.TokenBucket ?? new TokenBucket()));
    }

    /// <summary>Below 400 an answer would look like the server's own; Envoy takes its default instead.</summary>
    public static int Status(HttpStatus? status, int fallback) => (int)(status?.Code ?? StatusCode.Empty) is >= LeastStatus and <= MostStatus and var code ? code : fallback;

    private static TokenBucketPlan Bucket(DecodeScope scope, TokenBucket bucket)
    {
        using var at = scope.At("token_bucket");
        var interval = scope.Milliseconds(bucket.FillInterval, 0, "fill_interval");
        var perFill = scope.Count(bucket.TokensPerFill ?? 1, "tokens_per_fill");
        if (bucket.MaxTokens == 0 || perFill == 0)
        {
            scope.Error("max_tokens and tokens_per_fill must be at least 1");
        }

        if (interval < TokenBucketPlan.MinIntervalMs)
        {
            scope.Error($"fill_interval must be at least {TokenBucketPlan.MinIntervalMs} ms");
        }

        return new TokenBucketPlan(scope.Count(bucket.MaxTokens, "max_tokens"), perFill, interval);
    }

    public static HeaderPlan Header(DecodeScope scope, HeaderValueOption option)
    {
        var value = option.Header?.Value ?? "";

        // Who is answered has nothing left.
        var plain = value.Replace(RateLimitPlan.RemainingOperator, "0", StringComparison.Ordinal);
        if (plain.Replace("%%", "", StringComparison.Ordinal).Contains('%', StringComparison.Ordinal))
        {
            scope.Error($"response_headers_to_add: the operators of \"{value}\" are not supported here");
        }

        return new HeaderPlan((option.Header?.Key ?? "").ToLowerInvariant(), plain.Replace("%%", "%", StringComparison.Ordinal));
    }

    private static RuntimeFractionalPercent Share(int ppm) => new()
    {
        DefaultValue = new FractionalPercent { Numerator = (uint)Math.Min(ppm, Million), Denominator = FractionalPercent.Types.DenominatorType.Million },
    };
}
