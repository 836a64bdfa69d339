import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const nodeGlobals = [
  "process",
  "console",
  "Buffer",
  "URL",
  "URLSearchParams",
  "fetch",
  "AbortSignal",
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
];
const commonJsGlobals = ["require", "module", "exports", "__dirname", "__filename"];
const readonly = (names) => Object.fromEntries(names.map((name) => [name, "readonly"]));

export default defineConfig(
  globalIgnores([
    "dist/",
    "coverage/",
    "mutants/results/",
    "mutants/work/",
    "lib/pages/embedded.ts",
    "lib/methods/push/embedded.ts",
  ]),
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      // An async function without await still turns a throw into a rejection.
      "@typescript-eslint/require-await": "off",
      // Module augmentation of Express and Passport needs namespaces.
      "@typescript-eslint/no-namespace": ["error", { allowDeclarations: true }],
      eqeqeq: "error",
      "no-duplicate-imports": ["error", { allowSeparateTypeImports: true }],
    },
  },
  {
    files: ["lib/**/*.ts"],
    rules: {
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 40, skipBlankLines: true, skipComments: true }],
      complexity: ["error", 10],
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Named exports only: one name everywhere." },
      ],
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // Answers of supertest and fetch are `any`; the assertions are what checks them.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    // Compiled against the packed tarball, not against this folder.
    files: ["test/package/consumers/**/*.{ts,cts}"],
    extends: [tseslint.configs.strict, tseslint.configs.disableTypeChecked],
    rules: {
      "@typescript-eslint/no-namespace": ["error", { allowDeclarations: true }],
      "@typescript-eslint/no-require-imports": ["error", { allowAsImport: true }],
    },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: { globals: readonly(nodeGlobals) },
  },
  {
    files: ["bench/**/*.mjs"],
    languageOptions: { globals: readonly(["performance"]) },
    rules: {
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 40, skipBlankLines: true, skipComments: true }],
      complexity: ["error", 10],
    },
  },
  {
    files: ["**/*.cjs"],
    languageOptions: { sourceType: "commonjs", globals: readonly(commonJsGlobals) },
  },
);
