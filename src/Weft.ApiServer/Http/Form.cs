// SPDX-License-Identifier: Apache-2.0

using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Http;

/// <summary>The forms of an answer that a client can ask for with its Accept header.</summary>
internal static class Form
{
    public const string Object = "Object";
    public const string Table = "Table";
    public const string Metadata = "Metadata";

    /// <summary>The first form in the header that this server speaks; refuses when there is none.</summary>
    public static string Of(HttpContext context)
    {
        var header = context.Request.Headers.Accept.ToString();
        if (header.Length == 0)
        {
            return Object;
        }

        foreach (var range in header.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = range.Split(';', StringSplitOptions.TrimEntries);
            if (parts[0] is not ("application/json" or "*/*" or "application/*" or "application/yaml"))
            {
                continue;
            }

            var form = Parameter(parts, "as=");
            switch (form)
            {
                case null when parts[0] is not "application/yaml":
                    return Object;
                case "Table" when Parameter(parts, "v=") is "v1":
                    return Table;
                case "PartialObjectMetadata" or "PartialObjectMetadataList" when Parameter(parts, "v=") is "v1":
                    return Metadata;
            }
        }

        throw new ApiException(
            406, "NotAcceptable", "only the following media types are accepted: application/json");
    }

    private static string? Parameter(string[] parts, string prefix) => parts
        .FirstOrDefault(part => part.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
}
