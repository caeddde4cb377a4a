// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Security;

/// <summary>Asks the rights before a request is answered, and words the refusal.</summary>
internal sealed class Authorization(RightsBook rights)
{
    public void Check(ApiRequest request)
    {
        var resource = request.Resource;
        var question = new AccessQuestion(request.User, Verb(request))
        {
            Group = resource.Group,
            Resource = resource.Plural,
            Subresource = request.Subresource ?? "",
            Namespace = resource.GroupResource is "namespaces" ? request.Name ?? "" : request.Namespace,
            Name = request.Name ?? OneName(request) ?? "",
        };
        Require(question, request.Name);
    }

    /// <summary>Whether the user may do this to a path that is no object.</summary>
    public void CheckPath(HttpContext context, UserIdentity user)
    {
        var path = context.Request.Path.Value ?? "/";
        var verb = context.Request.Method.ToLowerInvariant();
        if (!rights.Allows(new AccessQuestion(user, verb) { Path = path }))
        {
            throw new ApiException(403, "Forbidden", $"forbidden: User \"{user.Name}\" cannot {verb} path \"{path}\"", new JsonObject());
        }
    }

    /// <summary>Refuses in Kubernetes' words unless it is allowed.</summary>
    public void Require(AccessQuestion question, string? name)
    {
        if (rights.Allows(question))
        {
            return;
        }

        var kind = question.Group.Length == 0 ? question.Resource : question.Resource + "." + question.Group;
        var place = question.Namespace.Length > 0 ? $" in the namespace \"{question.Namespace}\"" : " at the cluster scope";
        var details = new JsonObject();
        if (name is not null)
        {
            details["name"] = name;
        }

        if (question.Group.Length > 0)
        {
            details["group"] = question.Group;
        }

        details["kind"] = question.Resource;
        throw new ApiException(
            403,
            "Forbidden",
            $"{kind}{(name is null ? "" : $" \"{name}\"")} is forbidden: User \"{question.User.Name}\" cannot {question.Verb} resource " +
            $"\"{question.Target}\" in API group \"{question.Group}\"{place}",
            details);
    }

    public static string Verb(ApiRequest request)
    {
        var method = request.Context.Request.Method;
        return method switch
        {
            _ when HttpMethods.IsPost(method) => "create",
            _ when HttpMethods.IsPut(method) => "update",
            _ when HttpMethods.IsPatch(method) => "patch",
            _ when HttpMethods.IsDelete(method) => request.Name is null ? "deletecollection" : "delete",
            _ when request.IsWatch => "watch",
            _ => request.Name is null ? "list" : "get",
        };
    }

    /// <summary>A list of one name is a question about that object.</summary>
    private static string? OneName(ApiRequest request)
    {
        const string Field = "metadata.name=";
        return request.Query("fieldSelector") is { } selector && selector.StartsWith(Field, StringComparison.Ordinal)
            && !selector.Contains(',', StringComparison.Ordinal)
            ? selector[Field.Length..].TrimStart('=')
            : null;
    }
}
