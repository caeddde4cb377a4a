// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;
using Weft.Model.World;

namespace Weft.Dialects.Istio;

/// <summary>EnvoyFilter: patches of what proxies are told.</summary>
internal static class EnvoyFilterKind
{
    private const int NoTarget = -1;

    private static readonly Choices<PatchOperation> _operations = new(
        ("MERGE", PatchOperation.Merge),
        ("ADD", PatchOperation.Add),
        ("REMOVE", PatchOperation.Remove),
        ("INSERT_BEFORE", PatchOperation.InsertBefore),
        ("INSERT_AFTER", PatchOperation.InsertAfter),
        ("INSERT_FIRST", PatchOperation.InsertFirst),
        ("REPLACE", PatchOperation.Replace));

    private static readonly Choices<int> _targets = new(
        ("LISTENER", (int)PatchTarget.Listener),
        ("LISTENER_FILTER", (int)PatchTarget.ListenerFilter),
        ("FILTER_CHAIN", (int)PatchTarget.FilterChain),
        ("NETWORK_FILTER", (int)PatchTarget.NetworkFilter),
        ("HTTP_FILTER", (int)PatchTarget.HttpFilter),
        ("ROUTE_CONFIGURATION", (int)PatchTarget.RouteConfiguration),
        ("VIRTUAL_HOST", (int)PatchTarget.VirtualHost),
        ("HTTP_ROUTE", (int)PatchTarget.HttpRoute),
        ("CLUSTER", (int)PatchTarget.Cluster),
        ("EXTENSION_CONFIG", NoTarget),
        ("BOOTSTRAP", NoTarget));

    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");
        if (context.Root.Text("apiVersion")?.EndsWith("/v1beta1", StringComparison.Ordinal) == true)
        {
            context.Root.Find("apiVersion")!.Value.Report(IstioMessages.EnvoyFilterVersion);
        }

        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish();
        if (spec is null)
        {
            return ParsedContent.Nothing;
        }

        var selector = spec.Child("workloadSelector");
        var labels = selector?.Labels("labels") ?? [];
        selector?.Finish();
        var targets = spec.Find("targetRefs");
        targets?.Report(IstioMessages.PatchConditionNotSupported, "targetRefs", "it names gateways of the Gateway API, which is not there yet");
        var priority = spec.Integer("priority", int.MinValue, int.MaxValue) ?? 0;
        var patches = spec.Children("configPatches").Select(reader => ReadPatch(reader, priority)).OfType<PlanPatch>().ToList();
        spec.Finish();
        return targets is not null ? ParsedContent.Nothing : new ParsedContent(new PatchIntent(
            context.Origin, context.Metadata.CreatedAt, new LabelSelector(labels), priority, [.. patches]));
    }

    private static PlanPatch? ReadPatch(ObjectReader reader, int priority)
    {
        var target = reader.Required("applyTo")?.AsChoice(_targets);
        var where = target is { } known and not NoTarget ? PatchMatches.Read(reader.Child("match"), (PatchTarget)known) : null;
        reader.Ignore("match");
        var patch = reader.Required("patch")?.AsObject();
        reader.Finish();
        if (patch is null || target is null || patch.Required("operation")?.AsChoice(_operations) is not { } operation)
        {
            return null;
        }

        var value = patch.Find("value") is { } field ? (Unwrap(JsonNodes.ToJson(field.Value)) as JsonObject)?.ToJsonString() ?? "" : "";
        patch.Ignore("filterClass", "value");
        patch.Finish();
        var word = reader.Text("applyTo")!;
        if (target == NoTarget)
        {
            reader.Find("applyTo")!.Value.Report(IstioMessages.PatchTargetNotSupported, word);
            return null;
        }

        if (operation != PatchOperation.Remove && value.Length == 0)
        {
            patch.Required("value");
            return null;
        }

        return Has(reader, (PatchTarget)target.Value, operation, word, priority) && where is { } at
            ? new PlanPatch((PatchTarget)target.Value, operation, at.Context, at.Match, value, reader.Findings.At(reader.Place))
            : null;
    }

    /// <summary>Some operations mean nothing for some targets; Istio leaves them out without a word.</summary>
    private static bool Has(ObjectReader reader, PatchTarget target, PatchOperation operation, string word, int priority)
    {
        var isWhole = target is PatchTarget.RouteConfiguration or PatchTarget.HttpRoute;
        var message = operation switch
        {
            PatchOperation.Add when target == PatchTarget.RouteConfiguration => IstioMessages.PatchAddIgnored,
            PatchOperation.Remove when isWhole => IstioMessages.PatchRemoveIgnored,
            PatchOperation.Replace when target is not (PatchTarget.ListenerFilter or PatchTarget.NetworkFilter or PatchTarget.HttpFilter or PatchTarget.VirtualHost) => IstioMessages.PatchReplaceIgnored,
            _ => null,
        };
        if (message is not null)
        {
            reader.Findings.Add(message, reader.Place, word);
            return false;
        }

        if (priority == 0 && operation is PatchOperation.InsertBefore or PatchOperation.InsertAfter)
        {
            reader.Findings.Add(IstioMessages.PatchWithoutPriority, reader.Place);
        }

        return true;
    }

    /// <summary>A TypedStruct says its type beside its fields; both spellings mean the type itself.</summary>
    private static JsonNode? Unwrap(JsonNode? node)
    {
        switch (node)
        {
            case JsonArray list:
                return new JsonArray([.. list.Select(Unwrap)]);
            case JsonObject map when map["@type"] is JsonValue type && type.GetValueKind() == JsonValueKind.String
                && type.GetValue<string>().EndsWith(".TypedStruct", StringComparison.Ordinal) && map["type_url"] is { } url:
                var inner = Unwrap(map["value"]) as JsonObject ?? [];
                inner.Insert(0, "@type", url.DeepClone());
                return inner;
            case JsonObject map:
                return new JsonObject(map.Select(field => KeyValuePair.Create(field.Key, Unwrap(field.Value))));
            default:
                return node?.DeepClone();
        }
    }
}
