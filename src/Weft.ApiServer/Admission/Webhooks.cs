// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Defaults;
using Weft.ApiServer.Http;
using Weft.ApiServer.Patching;
using Weft.ApiServer.Schema;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Admission;

/// <summary>Asks the admission webhooks that are configured: first those that change objects, later those that refuse them.</summary>
internal sealed class Webhooks(ApiServices services)
{
    public const string Create = "CREATE";
    public const string Update = "UPDATE";
    public const string Delete = "DELETE";

    private const string Group = "admissionregistration.k8s.io";
    private const string Mutating = "mutatingwebhookconfigurations." + Group;
    private const string Validating = "validatingwebhookconfigurations." + Group;

    private readonly WebhookCall _call = new(services.Store);

    /// <summary>The object as the webhooks left it; those that wish are asked again when a later one changed it.</summary>
    public JsonObject Mutate(ApiRequest request, string operation, JsonObject? old, JsonObject tree)
    {
        var webhooks = Configured(Mutating, request);
        if (webhooks.Count == 0)
        {
            return tree;
        }

        var seen = new Dictionary<JsonObject, JsonNode>();
        foreach (var webhook in webhooks)
        {
            tree = MutateBy(webhook, request, operation, old, tree, seen);
        }

        foreach (var webhook in webhooks.Where(item => item.Text("reinvocationPolicy") is "IfNeeded" && seen.ContainsKey(item)))
        {
            if (!JsonNode.DeepEquals(seen[webhook], tree))
            {
                tree = MutateBy(webhook, request, operation, old, tree, seen);
            }
        }

        return tree;
    }

    public void Validate(ApiRequest request, string operation, JsonObject? old, JsonObject? tree)
    {
        foreach (var webhook in Configured(Validating, request))
        {
            Ask(webhook, request, operation, old, tree);
        }
    }

    private JsonObject MutateBy(
        JsonObject webhook, ApiRequest request, string operation, JsonObject? old, JsonObject tree, Dictionary<JsonObject, JsonNode> seen)
    {
        if (Ask(webhook, request, operation, old, tree) is not { } response)
        {
            return tree;
        }

        if (response.Text("patch") is { Length: > 0 } patch)
        {
            tree = Patched(webhook.Text("name") ?? "", request, tree, patch);
        }

        seen[webhook] = tree.DeepClone();
        return tree;
    }

    /// <summary>Null when the webhook does not want the request, or failed and may be ignored.</summary>
    private JsonObject? Ask(JsonObject webhook, ApiRequest request, string operation, JsonObject? old, JsonObject? tree)
    {
        if (!WebhookRule.Wants(webhook, request, operation, NamespaceLabels(request, tree ?? old), tree, old))
        {
            return null;
        }

        try
        {
            var response = _call.Ask(webhook, Review(request, operation, old, tree));
            request.Warn((response["warnings"] as JsonArray ?? []).Select(item => item.Text() ?? ""));
            return response.Flag("allowed") ?? false ? response : throw Denied(webhook.Text("name") ?? "", response["status"] as JsonObject);
        }
        catch (WebhookException) when (webhook.Text("failurePolicy") is "Ignore")
        {
            return null;
        }
        catch (WebhookException problem)
        {
            throw new ApiException(500, "InternalError", "Internal error occurred: " + problem.Message);
        }
    }

    private JsonObject Patched(string name, ApiRequest request, JsonObject tree, string patch)
    {
        try
        {
            var operations = JsonText.ParseUntrusted(Convert.FromBase64String(patch), []) as JsonArray
                ?? throw new PatchException("the patch is no list of operations");
            var patched = JsonPatch.Apply(tree, operations) as JsonObject ?? throw new PatchException("the patched document is no object");
            var checker = new FieldChecker(services.Schemas, request.Resource.Custom);
            if (!request.Resource.Custom)
            {
                checker.Check(patched, request.Resource.Type);
            }

            return checker.Undecodable is { } problem ? throw new PatchException(problem) : patched;
        }
        catch (Exception problem) when (problem is PatchException or FormatException or System.Text.Json.JsonException)
        {
            throw new ApiException(500, "InternalError", $"Internal error occurred: webhook \"{name}\" returned a patch that cannot be applied: {problem.Message}");
        }
    }

    private static ApiException Denied(string name, JsonObject? status)
    {
        var denied = $"admission webhook \"{name}\" denied the request";
        var message = status?.Text("message") is { Length: > 0 } text ? $"{denied}: {text}"
            : status?.Text("reason") is { Length: > 0 } reason ? $"{denied}: {reason}"
            : denied + " without explanation";
        var code = (int)Math.Clamp(status?.Number("code") ?? 400, 400, 599);
        return new ApiException(code, status?.Text("reason") ?? "", message);
    }

    /// <summary>Webhooks of one sort in the order in which they are asked; configurations themselves pass unseen.</summary>
    private List<JsonObject> Configured(string resource, ApiRequest request) => request.Resource.Group is Group
        ? []
        : [.. services.Store.Snapshot(resource).Objects.Values.SelectMany(item => item.Parse()["webhooks"].Items())];

    private JsonObject? NamespaceLabels(ApiRequest request, JsonObject? tree)
    {
        if (request.Resource.GroupResource is "namespaces")
        {
            return tree.At("metadata", "labels") as JsonObject ?? [];
        }

        return request.Resource.Namespaced
            ? services.Store.Find("namespaces", "", request.Namespace)?.Parse().At("metadata", "labels") as JsonObject ?? []
            : null;
    }

    private static JsonObject Review(ApiRequest request, string operation, JsonObject? old, JsonObject? tree)
    {
        var resource = request.Resource;
        JsonObject Kind() => new() { ["group"] = resource.Group, ["version"] = request.Version, ["kind"] = resource.Kind };
        JsonObject Target() => new() { ["group"] = resource.Group, ["version"] = request.Version, ["resource"] = resource.Plural };
        var body = new JsonObject
        {
            ["uid"] = NameSource.Uid(),
            ["kind"] = Kind(),
            ["resource"] = Target(),
            ["requestKind"] = Kind(),
            ["requestResource"] = Target(),
            ["name"] = (tree ?? old).At("metadata", "name").Text() ?? request.Name,
            ["operation"] = operation,
            ["userInfo"] = request.User.ToJson(),
            ["object"] = Seen(request, tree),
            ["oldObject"] = Seen(request, old),
            ["dryRun"] = request.IsDryRun,
            ["options"] = new JsonObject { ["kind"] = $"{operation[0]}{operation[1..].ToLowerInvariant()}Options", ["apiVersion"] = "meta.k8s.io/v1" },
        };
        if (request.Namespace.Length > 0)
        {
            body["namespace"] = request.Namespace;
        }

        if (request.Subresource is not null)
        {
            body["subResource"] = request.Subresource;
            body["requestSubResource"] = request.Subresource;
        }

        return new JsonObject { ["kind"] = "AdmissionReview", ["apiVersion"] = "admission.k8s.io/v1", ["request"] = body };
    }

    private static JsonObject? Seen(ApiRequest request, JsonObject? tree) =>
        tree is null ? null : request.View((JsonObject)tree.DeepClone());
}
