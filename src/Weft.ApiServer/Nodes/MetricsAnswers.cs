// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Selectors;

namespace Weft.ApiServer.Nodes;

/// <summary>Answers <c>metrics.k8s.io</c> with what the node agent measures.</summary>
internal sealed class MetricsAnswers(Func<CancellationToken, Task<JsonObject>> measure)
{
    public async Task AnswerAsync(ApiRequest request)
    {
        if (!HttpMethods.IsGet(request.Context.Request.Method) || request.Subresource is not null)
        {
            throw ApiException.MethodNotAllowed();
        }

        var measured = await measure(request.Aborted);
        var field = request.Resource == Metrics.Nodes ? "nodes" : "pods";
        var items = measured[field]!.AsArray().Select(item => item!.AsObject()).ToList();
        if (request.Name is { } name)
        {
            var found = items.Find(item => Is(item, "name", name) && Is(item, "namespace", request.Namespace))
                ?? throw ApiException.NotFound(request.Resource, name);
            await Answer.JsonAsync(request.Context, 200, Body(request, found));
            return;
        }

        var selector = LabelSelector.Parse(request.Query("labelSelector") ?? "");
        var chosen = items.Where(item => (request.Namespace.Length == 0 || Is(item, "namespace", request.Namespace))
            && selector.Matches(Labels(item)));
        await Answer.JsonAsync(request.Context, 200, new JsonObject
        {
            ["kind"] = request.Resource.ListKind,
            ["apiVersion"] = "metrics.k8s.io/v1beta1",
            ["metadata"] = new JsonObject(),
            ["items"] = new JsonArray([.. chosen.Select(item => Body(request, item))]),
        });
    }

    private static Dictionary<string, string> Labels(JsonObject item) => (item["metadata"]!["labels"] as JsonObject ?? [])
        .ToDictionary(label => label.Key, label => (string?)label.Value ?? "", StringComparer.Ordinal);

    private static bool Is(JsonObject item, string field, string value) => ((string?)item["metadata"]![field] ?? "") == value;

    private static JsonObject Body(ApiRequest request, JsonObject item)
    {
        var body = item.DeepClone().AsObject();
        body["kind"] = request.Resource.Kind;
        body["apiVersion"] = "metrics.k8s.io/v1beta1";
        return body;
    }
}
