// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Protocols.Grpc;

/// <summary>Reads the content types of gRPC-Web: <c>application/grpc-web</c> and <c>application/grpc-web-text</c>, with or without a <c>+format</c>.</summary>
public static class GrpcWebType
{
    private const string TypeName = "application/grpc-web";
    private const string TextMark = "-text";

    /// <summary>How the body travels; <see cref="GrpcWebForm.None"/> for every other content type.</summary>
    /// <param name="contentType">The field's value.</param>
    /// <param name="format">The messages' format with its plus sign, as <c>+proto</c>; empty where the type names none.</param>
    public static GrpcWebForm Read(ReadOnlySpan<byte> contentType, out ReadOnlySpan<byte> format)
    {
        format = default;
        if (!TrySkip(ref contentType, TypeName))
        {
            return GrpcWebForm.None;
        }

        var form = TrySkip(ref contentType, TextMark) ? GrpcWebForm.Text : GrpcWebForm.Binary;
        var end = contentType.IndexOfAny((byte)';', (byte)' ');
        var rest = end < 0 ? contentType : contentType[..end];
        if (rest is not ([] or [(byte)'+', ..]))
        {
            return GrpcWebForm.None;
        }

        format = rest;
        return form;
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> text, string word)
    {
        if (text.Length < word.Length || !Ascii.EqualsIgnoreCase(text[..word.Length], word))
        {
            return false;
        }

        text = text[word.Length..];
        return true;
    }
}

/// <summary>How a gRPC-Web body travels.</summary>
public enum GrpcWebForm : byte
{
    /// <summary>It is not gRPC-Web.</summary>
    None,

    /// <summary>Frames as they are.</summary>
    Binary,

    /// <summary>Frames in base64, perhaps in several padded pieces.</summary>
    Text,
}
