// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>A default must itself be what the schema asks for.</summary>
internal static class DefaultRules
{
    public static void Check(JsonObject schema, string path, List<FieldError> errors)
    {
        if (schema["default"] is { } value)
        {
            var read = StructuralSchema.Read(schema);
            var copy = value.DeepClone();
            var unknown = new List<string>();
            if (copy is JsonObject tree)
            {
                Pruning.Apply(read, tree, unknown);
                Defaulting.Apply(read, tree);
            }

            errors.AddRange(unknown.Select(field => FieldError.Invalid(
                path + ".default", new Verbatim(JsonText.String(value)), $"must not have unknown fields: {field}")));
            errors.AddRange(SchemaValidator.Check(read, copy).Select(error => error with
            {
                Field = path + ".default" + (error.Field is "<nil>" ? "" : "." + error.Field),
                Detail = error.Detail.Replace(":  in body", ": default in body", StringComparison.Ordinal),
            }));
        }

        foreach (var (place, inner) in SchemaWords.Children(schema, path))
        {
            Check(inner, place, errors);
        }
    }
}
