// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Schema;

namespace Weft.ApiServer.Verbs;

/// <summary>Checks that a tree is an object of the kind that the path names, and applies the client's fieldValidation.</summary>
internal static class Decoder
{
    /// <summary>A built-in kind may be left out of a body: the path says it.</summary>
    public static void CompleteKind(ApiRequest request, JsonObject tree)
    {
        if (request.Resource.Custom)
        {
            return;
        }

        tree["kind"] = tree.Text("kind") is { Length: > 0 } kind ? kind : request.Resource.Kind;
        tree["apiVersion"] = tree.Text("apiVersion") is { Length: > 0 } version ? version : request.ApiVersion;
    }

    public static void CheckKind(ApiRequest request, JsonObject tree)
    {
        var resource = request.Resource;
        var kind = tree.Text("kind");
        var version = tree.Text("apiVersion");
        if (string.IsNullOrEmpty(kind))
        {
            throw ApiException.BadRequest($"Object 'Kind' is missing in '{JsonText.String(tree)}'");
        }

        if (!string.Equals(kind, resource.Kind, StringComparison.Ordinal)
            || !string.Equals(version, request.ApiVersion, StringComparison.Ordinal))
        {
            throw ApiException.BadRequest(
                $"{kind} in version \"{version}\" cannot be handled as a {resource.Kind}: " +
                $"the path serves {resource.Kind} in version \"{request.ApiVersion}\"");
        }
    }

    /// <summary>Prunes, warns or refuses; <paramref name="refuse"/> words the refusal.</summary>
    public static void CheckFields(
        ApiRequest request, JsonObject tree, IReadOnlyList<string> duplicates, ApiServices services, Func<string, ApiException> refuse)
    {
        var resource = request.Resource;
        if (AutoscalerVersions.Differ(resource, request.Version))
        {
            AutoscalerVersions.ToStored(tree);
        }

        var checker = new FieldChecker(services.Schemas, resource.Custom && resource.CustomVersions is null);
        var unknown = checker.Unknown;
        if (CustomObjects.VersionOf(resource, request.Version) is { } version)
        {
            unknown = CustomFields(version, tree, checker);
        }
        else if (resource.CustomVersions is null)
        {
            checker.Check(tree, resource.Type);
        }

        if (checker.Undecodable is { } problem)
        {
            throw refuse(problem);
        }

        if (EventVersions.Differ(resource))
        {
            EventVersions.ToStored(tree);
        }

        List<string> complaints =
        [
            .. unknown.Select(path => $"unknown field \"{path}\""),
            .. duplicates.Select(path => $"duplicate field \"{path}\""),
        ];
        if (complaints.Count > 0)
        {
            switch (request.Query("fieldValidation") ?? "Warn")
            {
                case "Strict":
                    throw refuse("strict decoding error: " + string.Join(", ", complaints));
                case "Warn":
                    request.Warn(complaints);
                    break;
                case "Ignore":
                    break;
                default:
                    throw new ApiException(
                        422, "Invalid", "fieldValidation: Unsupported value: supported values: \"Ignore\", \"Strict\", \"Warn\"");
            }
        }

        if (checker.Errors.Count > 0)
        {
            throw ApiException.Invalid(resource, tree.At("metadata", "name").Text() ?? "", WithRemark(checker.Errors));
        }
    }

    /// <summary>Prunes and completes a custom object; its schema has its say when it is written, after admission.</summary>
    private static List<string> CustomFields(CustomVersion version, JsonObject tree, FieldChecker checker)
    {
        var unknown = new List<string>();
        if (tree["metadata"] is { } metadata)
        {
            var part = new JsonObject { ["metadata"] = metadata.DeepClone() };
            checker.Check(part, "PartialObjectMetadata");
            unknown.AddRange(checker.Unknown);
            tree["metadata"] = part["metadata"]?.DeepClone();
        }

        Pruning.Apply(version.Schema, tree, unknown);
        Defaulting.Apply(version.Schema, tree);
        return unknown;
    }

    /// <summary>Rules beyond types (admission) only run on objects whose types are right; the client is told so.</summary>
    private static IReadOnlyList<FieldError> WithRemark(IReadOnlyList<FieldError> errors) =>
        errors.All(error => error.Reason is "FieldValueNotSupported")
            ? errors
            : [.. errors, FieldError.Invalid(
                "<nil>",
                "null",
                "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation")];

    public static ApiException CannotHandle(ApiRequest request, string problem) => ApiException.BadRequest(
        $"{request.Resource.Kind} in version \"{request.Version}\" cannot be handled as a {request.Resource.Kind}: {problem}");
}
