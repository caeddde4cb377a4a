// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;

namespace Weft.Sample.Serve;

/// <summary>What one downstream call gave; <paramref name="Status"/> is 0 if there was no answer.</summary>
internal sealed record CallResult(Uri Url, int Status, TimeSpan Took, byte[] Body, string? Error)
{
    private const int MaxTextCharacters = 200;
    private const int MaxDepth = 32;

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("url", Url.AbsoluteUri);
        writer.WriteNumber("status", Status);
        writer.WriteNumber("ms", Math.Round(Took.TotalMilliseconds, 1));
        if (Error is not null)
        {
            writer.WriteString("error", Error);
        }
        else if (IsJson())
        {
            writer.WritePropertyName("answer");
            writer.WriteRawValue(Body.AsSpan().TrimEnd("\r\n "u8), skipInputValidation: true);
        }
        else
        {
            var text = Encoding.UTF8.GetString(Body).Trim();
            writer.WriteString("answer", text.Length <= MaxTextCharacters ? text : text[..MaxTextCharacters]);
        }

        writer.WriteEndObject();
    }

    // An answer is put inside ours as it is; text that is not JSON would spoil both.
    private bool IsJson()
    {
        try
        {
            var reader = new Utf8JsonReader(Body, new JsonReaderOptions { MaxDepth = MaxDepth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
