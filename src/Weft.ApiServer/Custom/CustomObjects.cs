// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Custom;

/// <summary>What a version's schema does to an object: complete it, prune it, refuse it.</summary>
internal static class CustomObjects
{
    private const string NotAllChecked =
        "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";

    /// <summary>The object as clients of a version see it: what the schema gives is there, what it does not know is not.</summary>
    public static void Show(CustomVersion version, JsonObject tree)
    {
        Pruning.Apply(version.Schema, tree, new List<string>());
        if (version.Schema.HasDefaults)
        {
            Defaulting.Apply(version.Schema, tree);
        }
    }

    /// <summary>Every way in which the object breaks its schema.</summary>
    public static List<FieldError> Check(CustomVersion version, JsonObject tree, JsonObject? old)
    {
        var errors = SchemaValidator.Check(version.Schema, tree);
        Scale(version, tree, errors);
        ListRules.Check(version.Schema, tree, "", errors);
        if (!version.Schema.HasRules)
        {
            return errors;
        }

        if (errors.Exists(error => error.Reason is
            "FieldValueRequired" or "FieldValueTooLong" or "FieldValueTooMany" or "FieldValueTypeInvalid"))
        {
            errors.Add(FieldError.Invalid("<nil>", "null", NotAllChecked));
        }
        else
        {
            RuleSet.Check(version.Schema, tree, old, "", errors);
        }

        return errors;
    }

    public static CustomVersion? VersionOf(ResourceDefinition resource, string version) =>
        resource.CustomVersions?.GetValueOrDefault(version);

    /// <summary>The number of replicas must be one, or the scale subresource could not show it.</summary>
    private static void Scale(CustomVersion version, JsonObject tree, List<FieldError> errors)
    {
        if (version.Scale is not { } scale)
        {
            return;
        }

        foreach (var path in new[] { scale.Wished, scale.Actual })
        {
            if (path.First(tree) is not { } value)
            {
                continue;
            }

            if (value.Number() is not { } number)
            {
                var shown = value.Text() ?? JsonText.String(value);
                var kind = value is JsonValue ? value.GetValueKind().ToString().ToLowerInvariant() : "object";
                errors.Add(FieldError.Invalid(
                    path.Text, 0, $"{path.Text} accessor error: {shown} is of the type {kind}, expected int64"));
            }
            else if (number < 0)
            {
                errors.Add(FieldError.Invalid(path.Text, number, "should be a non-negative integer"));
            }
        }
    }
}
