// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Selectors;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Admission;

/// <summary>Which requests a webhook wants to see.</summary>
internal static class WebhookRule
{
    private const string Any = "*";

    public static bool Wants(JsonObject webhook, ApiRequest request, string operation, JsonObject? namespaceLabels, params JsonObject?[] objects) =>
        webhook["rules"].Items().Any(rule => Fits(rule, webhook, request, operation))
        && (namespaceLabels is null || Selects(webhook["namespaceSelector"], namespaceLabels))
        && objects.Any(tree => tree is not null && Selects(webhook["objectSelector"], tree.At("metadata", "labels") as JsonObject ?? []));

    private static bool Fits(JsonObject rule, JsonObject webhook, ApiRequest request, string operation)
    {
        var resource = request.Resource;
        var target = request.Subresource is null ? resource.Plural : resource.Plural + "/" + request.Subresource;
        var versions = webhook.Text("matchPolicy") is "Exact" ? new[] { request.Version } : resource.Versions;
        return Has(rule["operations"], operation)
            && Has(rule["apiGroups"], resource.Group)
            && versions.Any(version => Has(rule["apiVersions"], version))
            && Texts(rule["resources"]).Any(item => IsResource(item, resource.Plural, request.Subresource, target))
            && rule.Text("scope") switch
            {
                "Cluster" => !resource.Namespaced,
                "Namespaced" => resource.Namespaced,
                _ => true,
            };
    }

    private static bool IsResource(string item, string plural, string? subresource, string target) => item switch
    {
        "*/*" => true,
        Any => subresource is null,
        _ when item.EndsWith("/*", StringComparison.Ordinal) => item[..^2] == plural,
        _ when item.StartsWith("*/", StringComparison.Ordinal) => item[2..] == subresource,
        _ => item == target,
    };

    private static bool Selects(JsonNode? selector, JsonObject labels)
    {
        var text = HumanText.Selector(selector);
        return text is HumanText.None
            || LabelSelector.Parse(text).Matches(labels.ToDictionary(pair => pair.Key, pair => pair.Value.Text() ?? "", StringComparer.Ordinal));
    }

    private static bool Has(JsonNode? list, string wanted) => Texts(list).Any(item => item is Any || item == wanted);

    private static IEnumerable<string> Texts(JsonNode? list) => (list as JsonArray ?? []).Select(item => item.Text() ?? "");
}
