// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Validation;

/// <summary>What events of the group events.k8s.io must say; the core group asks nothing of the sort. Fields have their stored names.</summary>
internal static class EventRules
{
    private const int LongestWord = 128;
    private const int LongestNote = 1024;

    public static void Check(JsonObject tree, List<FieldError> errors)
    {
        if (tree["eventTime"] is null)
        {
            errors.Add(FieldError.Required("eventTime"));
        }

        foreach (var (field, shown) in new[]
        {
            ("reportingComponent", "reportingController"), ("reportingInstance", "reportingInstance"), ("action", "action"), ("reason", "reason"),
        })
        {
            var text = tree.Text(field) ?? "";
            if (text.Length == 0)
            {
                errors.Add(FieldError.Required(shown));
            }
            else if (text.Length > LongestWord && field is not "reportingComponent")
            {
                errors.Add(FieldError.Invalid(shown, "", $"can have at most {LongestWord} characters"));
            }
        }

        if (tree.Text("type") is not ("Normal" or "Warning"))
        {
            errors.Add(FieldError.Invalid("type", "", "has invalid value: " + tree.Text("type")));
        }

        if ((tree.Text("message") ?? "").Length > LongestNote)
        {
            errors.Add(FieldError.Invalid("message", "", $"can have at most {LongestNote} characters"));
        }
    }
}
