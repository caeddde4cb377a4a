// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Security;

namespace Weft.ApiServer.Verbs;

/// <summary>Answers who may do what, for oneself and for others.</summary>
internal sealed class AccessReviews(RightsBook rights)
{
    /// <summary>The status of a SelfSubjectAccessReview, SubjectAccessReview or LocalSubjectAccessReview.</summary>
    public JsonObject Access(ApiRequest request, JsonObject tree)
    {
        var spec = tree.Child("spec");
        var user = request.Resource.Kind is "SelfSubjectAccessReview" ? request.User : Subject(request, spec);
        var onObject = spec["resourceAttributes"] as JsonObject;
        var onPath = spec["nonResourceAttributes"] as JsonObject;
        if (onObject is null == onPath is null)
        {
            throw ApiException.Invalid(request.Resource, "", [FieldError.Invalid(
                "spec.resourceAttributes", "", "exactly one of nonResourceAttributes or resourceAttributes must be specified")]);
        }

        if (request.Resource.Namespaced && onObject?.Text("namespace") != request.Namespace)
        {
            throw ApiException.Invalid(request.Resource, "", [FieldError.Invalid(
                "spec.resourceAttributes.namespace", onObject?.Text("namespace") ?? "", "must match metadata.namespace")]);
        }

        var question = onPath is not null
            ? new AccessQuestion(user, onPath.Text("verb") ?? "") { Path = onPath.Text("path") ?? "" }
            : Question(user, onObject!);
        var status = new JsonObject { ["allowed"] = rights.Allows(question, out var reason) };
        if (reason.Length > 0)
        {
            status["reason"] = reason;
        }

        return status;
    }

    /// <summary>The status of a SelfSubjectRulesReview: everything the caller may do in one namespace.</summary>
    public JsonObject Rules(ApiRequest request, JsonObject tree)
    {
        var ns = tree.At("spec", "namespace").Text();
        if (string.IsNullOrEmpty(ns))
        {
            throw ApiException.BadRequest("no namespace on request");
        }

        var rules = rights.RulesFor(request.User, ns).ToList();
        return new JsonObject
        {
            ["resourceRules"] = Listed(rules.Where(rule => rule.Resources.Length > 0)),
            ["nonResourceRules"] = Listed(rules.Where(rule => rule.Paths.Length > 0)),
            ["incomplete"] = false,
        };
    }

    private static AccessQuestion Question(UserIdentity user, JsonObject attributes) => new(user, attributes.Text("verb") ?? "")
    {
        Group = attributes.Text("group") ?? "",
        Resource = attributes.Text("resource") ?? "",
        Subresource = attributes.Text("subresource") ?? "",
        Namespace = attributes.Text("namespace") ?? "",
        Name = attributes.Text("name") ?? "",
    };

    private static UserIdentity Subject(ApiRequest request, JsonObject spec)
    {
        var name = spec.Text("user") ?? "";
        var groups = (spec["groups"] as JsonArray ?? []).Select(item => item.Text() ?? "").ToList();
        return name.Length > 0 || groups.Count > 0
            ? new UserIdentity(name, spec.Text("uid") ?? "", groups)
            : throw ApiException.Invalid(
                request.Resource, "", [FieldError.Invalid("spec.user", "", "at least one of user or group must be specified")]);
    }

    private static JsonArray Listed(IEnumerable<RoleRule> rules) => new([.. rules.Select(rule => rule.ToReview())]);
}
