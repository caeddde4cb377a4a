// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Patching;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Verbs;

/// <summary>Subresources that show or set one part of an object: scale, binding.</summary>
internal sealed class Scaling(ApiServices services, ObjectWriter writer, Reading reading)
{
    private const string ScaleVersion = "autoscaling/v1";

    public async Task RunAsync(ApiRequest request)
    {
        var method = request.Context.Request.Method;
        if (HttpMethods.IsGet(method))
        {
            await Answer.JsonAsync(request.Context, 200, Shown(request, View(request, reading.Find(request).Parse())));
            return;
        }

        if (!HttpMethods.IsPut(method) && !HttpMethods.IsPatch(method))
        {
            throw ApiException.MethodNotAllowed();
        }

        var body = RequestBody.Parse(await RequestBody.ReadAsync(request.Context), []);
        var plain = new ApiRequest(request.Context, request.Resource, request.Version)
        {
            Namespace = request.Namespace,
            Name = request.Name,
            User = request.User,
        };
        for (var attempt = 0; attempt < ApiLimits.PatchAttempts; attempt++)
        {
            var current = reading.Find(request);
            var scale = Changed(request, View(request, current.Parse()), body);
            if (Store(plain, current, scale) is { } written)
            {
                await Answer.JsonAsync(request.Context, 200, Shown(request, View(request, written)));
                return;
            }
        }

        throw ApiException.Conflict(request.Resource, request.Name!);
    }

    /// <summary>POST …/pods/NAME/binding: the pod goes to a node.</summary>
    public async Task BindAsync(ApiRequest request)
    {
        var body = RequestBody.ParseObject(await RequestBody.ReadAsync(request.Context), []);
        var node = body.At("target", "name").Text();
        if (string.IsNullOrEmpty(node))
        {
            throw ApiException.BadRequest("target.name: Required value");
        }

        while (true)
        {
            var current = reading.Find(request);
            var tree = current.Parse();
            if (tree.At("spec", "nodeName").Text() is { Length: > 0 } taken)
            {
                throw ApiException.Conflict(
                    request.Resource, request.Name!, $"pod {request.Name} is already assigned to node \"{taken}\"");
            }

            tree.Child("spec")["nodeName"] = node;
            if (services.Store.TryReplace(request.Resource.StoredAs, tree, current.Version) is not null)
            {
                var success = ApiException.Success([]);
                success["code"] = 201;
                await Answer.JsonAsync(request.Context, 201, success);
                return;
            }
        }
    }

    private JsonObject? Store(ApiRequest plain, StoredObject current, JsonObject scale)
    {
        var wanted = scale.At("metadata", "resourceVersion").Text();
        if (!string.IsNullOrEmpty(wanted) && !string.Equals(wanted, $"{current.Version}", StringComparison.Ordinal))
        {
            throw ApiException.Conflict(plain.Resource, plain.Name!);
        }

        var replicas = scale.At("spec", "replicas").Number() ?? 0;
        if (replicas < 0)
        {
            throw ApiException.Invalid(plain.Resource, plain.Name!, [FieldError.Invalid(
                "spec.replicas", replicas, "must be greater than or equal to 0")]);
        }

        var tree = plain.View(current.Parse());
        if (Paths(plain) is { } paths)
        {
            paths.Wished.Set(tree, replicas);
        }
        else
        {
            tree.Child("spec")["replicas"] = replicas;
        }

        return writer.Replace(plain, current, tree);
    }

    private static JsonObject Changed(ApiRequest request, JsonObject scale, JsonNode? body)
    {
        if (HttpMethods.IsPut(request.Context.Request.Method))
        {
            return body as JsonObject ?? throw ApiException.BadRequest("the body must be a Scale object");
        }

        try
        {
            var patched = body is JsonArray operations ? JsonPatch.Apply(scale, operations) : MergePatch.Apply(scale, body);
            return patched as JsonObject ?? throw ApiException.BadRequest("the patched document is not an object");
        }
        catch (PatchException problem)
        {
            throw ApiException.BadRequest(problem.Message);
        }
    }

    /// <summary>Where a custom kind keeps its numbers; null for kinds that keep them where Deployments do.</summary>
    private static ScalePaths? Paths(ApiRequest request) => CustomObjects.VersionOf(request.Resource, request.Version)?.Scale;

    private JsonObject Shown(ApiRequest request, JsonObject scale) => Form.Of(request.Context) is Form.Table
        ? TableText.Of(
            request, [scale], new JsonObject { ["resourceVersion"] = scale.At("metadata", "resourceVersion").Text() }, services.Clock.GetUtcNow(), TableLayout.Scale)
        : scale;

    private static JsonObject View(ApiRequest request, JsonObject stored)
    {
        var tree = request.View(stored);
        var paths = Paths(request);
        var metadata = new JsonObject();
        foreach (var field in new[] { "name", "namespace", "uid", "resourceVersion", "creationTimestamp" })
        {
            metadata[field] = tree.At("metadata", field)?.DeepClone();
        }

        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = ScaleVersion,
            ["metadata"] = metadata,
            ["spec"] = new JsonObject { ["replicas"] = (paths is null ? tree.At("spec", "replicas") : paths.Wished.First(tree)).Number() ?? 0 },
            ["status"] = new JsonObject
            {
                ["replicas"] = (paths is null ? tree.At("status", "replicas") : paths.Actual.First(tree)).Number() ?? 0,
                ["selector"] = paths is null ? SelectorText(tree.At("spec", "selector")) : paths.Selector?.First(tree).Text() ?? "",
            },
        };
    }

    private static string SelectorText(JsonNode? selector)
    {
        var text = HumanText.Selector(selector);
        return text is HumanText.None ? "" : text;
    }
}
