// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Route.V3;
using Google.Protobuf.Collections;
using Weft.Model;
using Weft.Model.Plan;
using Actions = Envoy.Config.Route.V3.RateLimit.Types.Action;

namespace Weft.Wire.Plans;

/// <summary>How requests are described ⇄ <c>rate_limits</c> of routes.</summary>
internal static class RateActions
{
    private const int MaxDescriptors = 32;
    private const int MaxActions = 16;
    private const int MaxStage = 10;
    private const int V4Bits = 32;
    private const int V6Bits = 128;
    private const string GenericKey = "generic_key";
    private const string HeaderMatch = "header_match";
    private const string QueryMatch = "query_match";

    public static IEnumerable<RateLimit> Encode(EquatableArray<RateDescriptorPlan> plans) => plans.Select(plan =>
    {
        var limit = new RateLimit { Stage = plan.Stage == 0 ? null : (uint)plan.Stage };
        limit.Actions.AddRange(plan.Actions.Select(Encode));
        return limit;
    });

    public static EquatableArray<RateDescriptorPlan> Decode(DecodeScope scope, RepeatedField<RateLimit> limits)
    {
        if (limits.Count > MaxDescriptors)
        {
            scope.Error($"rate_limits: more than {MaxDescriptors} are not supported");
            return [];
        }

        var plans = new RateDescriptorPlan[limits.Count];
        for (var i = 0; i < plans.Length; i++)
        {
            using var at = scope.At("rate_limits", i);
            var limit = limits[i];
            var stage = limit.Stage ?? 0;
            if (stage > MaxStage)
            {
                scope.Error($"stage {stage} is not between 0 and {MaxStage}");
            }

            if (limit.Actions.Count is 0 or > MaxActions)
            {
                scope.Error($"there must be 1 to {MaxActions} actions, these are {limit.Actions.Count}");
            }

            plans[i] = new RateDescriptorPlan((int)Math.Min(stage, MaxStage), [.. limit.Actions.Take(MaxActions).Select((action, n) => Decode(scope, action, n))]);
        }

        return [.. plans];
    }

    private static Actions Encode(RateActionPlan plan) => plan.Kind switch
    {
        RateActionKind.SourceCluster => new Actions { SourceCluster = new() },
        RateActionKind.DestinationCluster => new Actions { DestinationCluster = new() },
        RateActionKind.RemoteAddress => new Actions { RemoteAddress = new() },
        RateActionKind.MaskedRemoteAddress => new Actions
        {
            MaskedRemoteAddress = new() { V4PrefixMaskLen = (uint)plan.V4Bits, V6PrefixMaskLen = (uint)plan.V6Bits },
        },
        RateActionKind.RequestHeader => new Actions
        {
            RequestHeaders = new() { HeaderName = plan.Value, DescriptorKey = plan.Key, SkipIfAbsent = plan.SkipsAbsent },
        },
        RateActionKind.QueryParameter => new Actions
        {
            QueryParameters = new() { QueryParameterName = plan.Value, DescriptorKey = plan.Key, SkipIfAbsent = plan.SkipsAbsent },
        },
        RateActionKind.GenericKey => new Actions { GenericKey = new() { DescriptorValue = plan.Value, DescriptorKey = plan.Key } },
        RateActionKind.HeaderMatch => new Actions
        {
            HeaderValueMatch = new()
            {
                DescriptorValue = plan.Value,
                DescriptorKey = plan.Key,
                ExpectMatch = plan.ExpectsMatch,
                Headers = { plan.Matches.Select(MatchEncoder.EncodeHeader) },
            },
        },
        _ => new Actions
        {
            QueryParameterValueMatch = new()
            {
                DescriptorValue = plan.Value,
                DescriptorKey = plan.Key,
                ExpectMatch = plan.ExpectsMatch,
                QueryParameters = { plan.Matches.Select(MatchEncoder.EncodeQuery) },
            },
        },
    };

    private static RateActionPlan Decode(DecodeScope scope, Actions action, int index)
    {
        using var at = scope.At("actions", index);
        switch (action.ActionSpecifierCase)
        {
            case Actions.ActionSpecifierOneofCase.SourceCluster:
                return new RateActionPlan(RateActionKind.SourceCluster, "source_cluster", "");
            case Actions.ActionSpecifierOneofCase.DestinationCluster:
                return new RateActionPlan(RateActionKind.DestinationCluster, "destination_cluster", "");
            case Actions.ActionSpecifierOneofCase.RemoteAddress:
                return new RateActionPlan(RateActionKind.RemoteAddress, "remote_address", "");
            case Actions.ActionSpecifierOneofCase.MaskedRemoteAddress:
                return new RateActionPlan(RateActionKind.MaskedRemoteAddress, "masked_remote_address", "")
                {
                    V4Bits = Bits(scope, action.MaskedRemoteAddress.V4PrefixMaskLen, V4Bits),
                    V6Bits = Bits(scope, action.MaskedRemoteAddress.V6PrefixMaskLen, V6Bits),
                };
            case Actions.ActionSpecifierOneofCase.RequestHeaders:
                var header = action.RequestHeaders;
                return Named(scope, RateActionKind.RequestHeader, header.DescriptorKey, header.HeaderName.ToLowerInvariant(), header.SkipIfAbsent);
            case Actions.ActionSpecifierOneofCase.QueryParameters:
                var parameter = action.QueryParameters;
                return Named(scope, RateActionKind.QueryParameter, parameter.DescriptorKey, parameter.QueryParameterName, parameter.SkipIfAbsent);
            case Actions.ActionSpecifierOneofCase.GenericKey:
                return Fixed(scope, RateActionKind.GenericKey, action.GenericKey.DescriptorKey, action.GenericKey.DescriptorValue, GenericKey);
            case Actions.ActionSpecifierOneofCase.HeaderValueMatch:
                var headers = action.HeaderValueMatch;
                return Fixed(scope, RateActionKind.HeaderMatch, headers.DescriptorKey, headers.DescriptorValue, HeaderMatch) with
                {
                    ExpectsMatch = headers.ExpectMatch ?? true,
                    Matches = [.. headers.Headers.Select(matcher => MatchDecoder.DecodeHeader(scope, matcher))],
                };
            case Actions.ActionSpecifierOneofCase.QueryParameterValueMatch:
                var query = action.QueryParameterValueMatch;
                return Fixed(scope, RateActionKind.QueryMatch, query.DescriptorKey, query.DescriptorValue, QueryMatch) with
                {
                    ExpectsMatch = query.ExpectMatch ?? true,
                    Matches = [.. query.QueryParameters.Select(matcher => MatchDecoder.DecodeQuery(scope, matcher))],
                };
            default:
                scope.Error("no supported action: metadata and extensions of Envoy are not there, so nothing could be read from them");
                return new RateActionPlan(RateActionKind.GenericKey, GenericKey, "-");
        }
    }

    private static RateActionPlan Named(DecodeScope scope, RateActionKind kind, string key, string name, bool skips)
    {
        if (key.Length == 0 || name.Length == 0)
        {
            scope.Error("descriptor_key and the name of what is looked for must be given");
        }

        return new RateActionPlan(kind, key, name) { SkipsAbsent = skips };
    }

    private static RateActionPlan Fixed(DecodeScope scope, RateActionKind kind, string key, string value, string fallback)
    {
        if (value.Length == 0)
        {
            scope.Error("descriptor_value is missing");
        }

        return new RateActionPlan(kind, key.Length == 0 ? fallback : key, value);
    }

    private static int Bits(DecodeScope scope, uint? given, int most)
    {
        if (given > most)
        {
            scope.Error($"a mask of {given} bits is longer than {most}");
        }

        return (int)Math.Min(given ?? (uint)most, (uint)most);
    }
}
