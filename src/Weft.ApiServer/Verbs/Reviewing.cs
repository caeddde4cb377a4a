// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Security;

namespace Weft.ApiServer.Verbs;

/// <summary>Answers questions about tokens and rights, and issues tokens.</summary>
internal sealed class Reviewing(ApiServices services)
{
    private const long ShortestSeconds = 600;
    private const long DefaultSeconds = 3600;
    private const long LongestSeconds = 1L << 32;

    private readonly AccessReviews _access = new(services.Rights);

    public async Task ReviewAsync(ApiRequest request)
    {
        var tree = RequestBody.ParseObject(await RequestBody.ReadAsync(request.Context), []);
        Decoder.CheckKind(request, tree);
        tree["status"] = request.Resource.Kind switch
        {
            "TokenReview" => ReviewToken(tree),
            "SelfSubjectReview" => new JsonObject { ["userInfo"] = request.User.ToJson() },
            "SelfSubjectRulesReview" => _access.Rules(request, tree),
            _ => _access.Access(request, tree),
        };
        await Answer.JsonAsync(request.Context, 201, tree);
    }

    /// <summary>POST …/serviceaccounts/NAME/token.</summary>
    public async Task IssueAsync(ApiRequest request)
    {
        var account = services.Store.Find("serviceaccounts", request.Namespace, request.Name!)
            ?? throw ApiException.NotFound(request.Resource, request.Name!);
        var tree = await RequestBody.ReadOptionalAsync(request.Context);
        var spec = tree.Child("spec");
        var audiences = (spec["audiences"] as JsonArray ?? []).Select(item => item.Text() ?? "").Where(item => item.Length > 0).ToList();
        if (audiences.Count == 0)
        {
            audiences.Add(TokenAuthority.DefaultAudience);
            spec["audiences"] = new JsonArray(TokenAuthority.DefaultAudience);
        }

        var seconds = spec.Number("expirationSeconds") ?? DefaultSeconds;
        if (seconds is < ShortestSeconds or > LongestSeconds)
        {
            var why = seconds < ShortestSeconds
                ? "may not specify a duration less than 10 minutes"
                : "may not specify a duration larger than 2^32 seconds";
            throw ApiException.Invalid(_tokenRequest, "", [FieldError.Invalid("spec.expirationSeconds", seconds, why)]);
        }

        spec["expirationSeconds"] = seconds;
        var bound = Bound(request, spec);
        services.Rights.Nodes.CheckToken(request, bound);
        var life = TimeSpan.FromSeconds(seconds);
        tree["kind"] = "TokenRequest";
        tree["apiVersion"] = "authentication.k8s.io/v1";
        tree["metadata"] = new JsonObject
        {
            ["name"] = request.Name,
            ["namespace"] = request.Namespace,
            ["creationTimestamp"] = JsonText.Timestamp(services.Clock.GetUtcNow()),
        };
        tree["status"] = new JsonObject
        {
            ["token"] = services.Tokens.Issue(account, bound, audiences, life),
            ["expirationTimestamp"] = JsonText.Timestamp(services.Clock.GetUtcNow() + life),
        };
        await Answer.JsonAsync(request.Context, 201, tree);
    }

    private static readonly Resources.ResourceDefinition _tokenRequest = new()
    {
        Group = "authentication.k8s.io",
        Versions = ["v1"],
        Plural = "tokenrequests",
        Singular = "tokenrequest",
        Kind = "TokenRequest",
        Type = "TokenRequest",
    };

    private TokenBinding? Bound(ApiRequest request, JsonObject spec)
    {
        if (spec["boundObjectRef"] is not JsonObject bound)
        {
            return null;
        }

        var kind = bound.Text("kind");
        if (kind is not ("Pod" or "Secret") || (bound.Text("apiVersion") ?? "v1") is not "v1")
        {
            throw ApiException.BadRequest($"cannot bind token for serviceaccount to a type {bound.Text("kind")} object");
        }

        var name = bound.Text("name") ?? "";
        var definition = services.Catalog.Get(kind is "Pod" ? "pods" : "secrets");
        var target = services.Store.Find(definition.GroupResource, request.Namespace, name) ?? throw ApiException.NotFound(definition, name);
        var account = kind is "Pod" ? target.Parse().At("spec", "serviceAccountName").Text() : request.Name;
        if (!string.Equals(account, request.Name, StringComparison.Ordinal))
        {
            throw ApiException.BadRequest(
                $"cannot bind token for serviceaccount \"{request.Name}\" to pod running with different serviceaccount name.");
        }

        return bound.Text("uid") is { Length: > 0 } uid && !string.Equals(uid, target.Uid, StringComparison.Ordinal)
            ? throw ApiException.Conflict(
                definition, name, $"the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated")
            : new TokenBinding(kind.ToLowerInvariant(), name, target.Uid);
    }

    private JsonObject ReviewToken(JsonObject tree)
    {
        var token = tree.At("spec", "token").Text() ?? "";
        var wanted = (tree.At("spec", "audiences") as JsonArray ?? []).Select(item => item.Text() ?? "").ToList();
        if (wanted.Count == 0)
        {
            wanted.Add(TokenAuthority.DefaultAudience);
        }

        if (services.Tokens.Check(token, wanted, out var problem) is not { } subject)
        {
            return new JsonObject { ["authenticated"] = false, ["user"] = new JsonObject(), ["error"] = problem };
        }

        return new JsonObject
        {
            ["authenticated"] = true,
            ["user"] = subject.User.ToJson(),
            ["audiences"] = new JsonArray([.. subject.Audiences.Select(item => (JsonNode?)JsonValue.Create(item))]),
        };
    }
}
